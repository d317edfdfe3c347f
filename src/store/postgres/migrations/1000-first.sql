-- The first schema. `@` stands for our schema. Times are epoch ms, but those of leases and peers,
-- which are the database's own.

-- One row: which program and which version this schema is of.
create table @.meta (
  owner text not null,
  version int not null,
  made_at timestamptz not null default clock_timestamp()
);

-- Only inserted into, under the log's lock: numbers are given out in the order of commits, without
-- gaps. Events go with a partition. `bytes_upto` is a running total, so that the size of any part of
-- the log is a subtraction. No default partition: it would forbid to detach another one concurrently.
create table @.events (
  seq bigint not null,
  bytes_upto bigint not null,
  id bytea not null check (length(id) = 32),
  occurred_at bigint not null,
  received_at bigint not null,
  domain text not null,
  origin text not null,
  body bytea not null,
  primary key (seq)
) partition by range (seq);

-- The partitions of the log; `to_seq` is the first seq of the next one. Of those that are full it is
-- known when their events occurred: a duplicate is not looked for where it can't be.
create table @.partitions (
  name text primary key,
  from_seq bigint not null unique,
  to_seq bigint not null,
  occurred_from bigint,
  occurred_to bigint,
  made_at timestamptz not null default clock_timestamp()
);

-- One row, written by the janitor, with a new partition and at a failover; never by a plain append.
create table @.log_state (
  -- Events up to this one are gone, and how much they were.
  floor_seq bigint not null default 0,
  floor_bytes bigint not null default 0,
  -- Duplicates are looked for above this seq: the start of a partition.
  dedupe_after bigint not null default 0,
  -- The server's timeline at the last append.
  timeline text,
  failovers int not null default 0
);
insert into @.log_state default values;

-- Numbers that were never given out, since a failover may have lost what had them: after_seq + 1 up
-- to to_seq. Few rows, ever.
create table @.jumps (
  after_seq bigint primary key,
  to_seq bigint not null,
  timeline text not null,
  jumped_at timestamptz not null default clock_timestamp()
);

create table @.rings (
  domain text primary key,
  revision bigint not null,
  content text not null
);

-- Small and hot: room in each page, and vacuumed before the dead rows pile up.
create table @.cursors (
  sink text primary key,
  seq bigint not null,
  updated_at bigint not null
) with (fillfactor = 50, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);

create table @.counters (
  name text primary key,
  value double precision not null
) with (fillfactor = 50);
insert into @.counters (name, value) values ('receiving_seconds', 0);

create table @.tallies (
  domain text primary key,
  last_callback_at bigint,
  unsigned bigint not null default 0
) with (fillfactor = 50, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);

-- Events that a sink has rejected for good, each with a copy of its own.
create table @.dead_letters (
  number bigint generated always as identity primary key,
  sink text not null,
  seq bigint not null,
  id bytea not null check (length(id) = 32),
  occurred_at bigint not null,
  domain text not null,
  origin text not null,
  received_at bigint not null,
  body bytea not null,
  reason text not null,
  attempts int not null,
  died_at bigint not null,
  retry_requested boolean not null default false,
  unique (sink, seq)
);
create index dead_letters_to_retry on @.dead_letters (sink, seq) where retry_requested;

-- How many letters each sink has, and what they take in bytes: asked for at every scrape.
create table @.letter_totals (
  sink text primary key,
  letters bigint not null default 0,
  bytes bigint not null default 0
) with (fillfactor = 50);

create function @.count_letters() returns trigger language plpgsql as $$
begin
  if tg_op <> 'DELETE' then
    insert into @.letter_totals as t (sink, letters, bytes)
    select sink, count(*), sum(length(body) + length(reason) + 350) from added group by sink
    on conflict (sink) do update
    set letters = t.letters + excluded.letters, bytes = t.bytes + excluded.bytes;
  end if;
  if tg_op <> 'INSERT' then
    update @.letter_totals t
    set letters = t.letters - gone.letters, bytes = t.bytes - gone.bytes
    from (
      select sink, count(*) as letters, sum(length(body) + length(reason) + 350) as bytes
      from removed group by sink
    ) gone
    where t.sink = gone.sink;
  end if;
  return null;
end
$$;
create trigger letters_added after insert on @.dead_letters
  referencing new table as added for each statement execute function @.count_letters();
create trigger letters_removed after delete on @.dead_letters
  referencing old table as removed for each statement execute function @.count_letters();
create trigger letters_changed after update on @.dead_letters
  referencing old table as removed new table as added
  for each statement execute function @.count_letters();

-- What a sink never got: a range in place of a dead letter for each event.
create table @.expired (
  sink text not null,
  reason text not null,
  from_seq bigint not null,
  to_seq bigint not null,
  count bigint not null,
  expired_at bigint not null,
  primary key (sink, reason, from_seq)
);

create table @.replays (
  id bigint generated always as identity primary key,
  sink text not null,
  since bigint,
  until bigint,
  domain text,
  stream text,
  requested_at bigint not null,
  next_seq bigint not null default 0,
  last_seq bigint not null,
  delivered bigint not null default 0,
  rejected bigint not null default 0,
  ended_at bigint,
  cancelled boolean not null default false
);
create index replays_under_way on @.replays (sink, id) where ended_at is null;

-- Who owns what. A token stands for one tenure: it is part of a unique key, so that a takeover waits
-- for a write of the old owner that has locked the row, and no such write can follow it.
create table @.leases (
  task text primary key,
  replica uuid not null,
  token uuid not null unique,
  since timestamptz not null,
  expires_at timestamptz not null
) with (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

-- The replicas that were seen, with what each one says of itself.
create table @.peers (
  replica uuid primary key,
  name text not null,
  version text not null,
  started_at timestamptz not null,
  seen_at timestamptz not null,
  view jsonb not null
) with (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);

-- What the owner of the registrar shows of each domain, and the looks that others have asked it for.
create table @.registrations (
  domain text primary key,
  view jsonb,
  asked_at timestamptz
) with (fillfactor = 50);
