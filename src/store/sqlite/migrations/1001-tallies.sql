-- What came in for each domain over the life of the store, so that a restart forgets neither a
-- silence nor the pushes that don't sign. The time is in epoch ms.
create table tallies (
  domain text primary key,
  last_callback_at integer,
  unsigned integer not null default 0
) strict, without rowid;
