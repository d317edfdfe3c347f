-- How far the comparison with the provider's list has come, per domain, and how it fared. Times are
-- in epoch ms. `taking_until` is when callbacks were last known to be taken, by any replica.
create table @.audits (
  domain text primary key,
  since bigint not null,
  audited_until bigint not null,
  taking_until bigint not null,
  is_doubtful boolean not null default false
) with (fillfactor = 50, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);

-- Times in which no replica took callbacks of a domain: what is missing there is filled unasked.
create table @.audit_not_taking (
  domain text not null,
  from_at bigint not null,
  until_at bigint not null,
  primary key (domain, from_at)
);

-- Times of which somebody should know: not filled, since it was not sure, or not looked at.
create table @.audit_gaps (
  domain text not null,
  from_at bigint not null,
  until_at bigint not null,
  reason text not null,
  missed bigint not null,
  primary key (domain, from_at, reason)
);

-- What somebody has asked to be filled. `done_until` is how far it has come.
create table @.backfills (
  id bigint generated always as identity primary key,
  domain text not null,
  stream text,
  from_at bigint not null,
  until_at bigint not null,
  requested_at bigint not null,
  done_until bigint not null,
  listed bigint not null default 0,
  missed bigint not null default 0,
  filled bigint not null default 0,
  problem text,
  ended_at bigint,
  cancelled boolean not null default false
);
