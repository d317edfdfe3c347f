-- How far the comparison with the provider's list has come, per domain, and how it fared. Times are
-- in epoch ms. `taking_until` is when callbacks were last known to be taken.
create table audits (
  domain text primary key,
  since integer not null,
  audited_until integer not null,
  taking_until integer not null,
  is_doubtful integer not null default 0
) strict, without rowid;

-- Times in which no callbacks of a domain were taken: what is missing there is filled unasked.
create table audit_not_taking (
  domain text not null,
  from_at integer not null,
  until_at integer not null,
  primary key (domain, from_at)
) strict, without rowid;

-- Times of which somebody should know: not filled, since it was not sure, or not looked at.
create table audit_gaps (
  domain text not null,
  from_at integer not null,
  until_at integer not null,
  reason text not null,
  missed integer not null,
  primary key (domain, from_at, reason)
) strict, without rowid;

-- What somebody has asked to be filled. `done_until` is how far it has come.
create table backfills (
  id integer primary key autoincrement,
  domain text not null,
  stream text,
  from_at integer not null,
  until_at integer not null,
  requested_at integer not null,
  done_until integer not null,
  listed integer not null default 0,
  missed integer not null default 0,
  filled integer not null default 0,
  problem text,
  ended_at integer,
  cancelled integer not null default 0
) strict;

create index backfills_under_way on backfills (domain, id) where ended_at is null;
