-- What is copied into this store from another one, if anything is: nobody serves on it before
-- `ended_at`, in epoch ms. The row stays, so that a copy is not made twice.
-- `doubles` are events that were left out, since one with the same identity was there.
create table @.copies (
  one integer primary key check (one = 1),
  source text not null,
  with_events boolean not null,
  started_at bigint not null,
  doubles bigint not null default 0,
  ended_at bigint
);
