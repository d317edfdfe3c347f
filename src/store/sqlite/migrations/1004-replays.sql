-- Deliveries again, as somebody has asked for them. Times are in epoch ms and of receipt; a null
-- narrows nothing. `next_seq` is the last event that was looked at, `last_seq` where it ends.
create table replays (
  id integer primary key autoincrement,
  sink text not null,
  since integer,
  until integer,
  domain text,
  stream text,
  requested_at integer not null,
  next_seq integer not null default 0,
  last_seq integer not null,
  delivered integer not null default 0,
  refused integer not null default 0,
  ended_at integer,
  cancelled integer not null default 0
) strict;

create index replays_under_way on replays (sink, id) where ended_at is null;
