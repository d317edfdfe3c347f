-- The first schema. The time comes before the identity in the unique index, so that its inserts
-- stay near the end of the tree however large the log grows: a hash alone would hit it at random.
create table events (
  seq integer primary key autoincrement,
  id blob not null check (length(id) = 32),
  occurred_at integer not null,
  domain text not null,
  origin text not null,
  received_at integer not null,
  body blob not null
) strict;

create unique index events_by_identity on events (occurred_at, id);

create table rings (
  domain text primary key,
  revision integer not null,
  content text not null
) strict, without rowid;

create table cursors (
  sink text primary key,
  seq integer not null,
  updated_at integer not null
) strict, without rowid;

create table counters (
  name text primary key,
  value any not null
) strict, without rowid;

insert into counters (name, value) values ('events', 0), ('receiving_seconds', 0);

-- The number of events is asked for at every scrape: counting a million rows would hold the writer.
create trigger events_counted after insert on events begin
  update counters set value = value + 1 where name = 'events';
end;

create trigger events_uncounted after delete on events begin
  update counters set value = value - 1 where name = 'events';
end;

-- Where a write is tried when nobody appends; always empty when a transaction ends.
create table probes (padding blob not null) strict;
