-- The latest shot of each stream, so that a look at all streams costs the same at any size of the
-- log. An empty app or stream is one that no body named. Times are in epoch ms.
--
-- What every commit writes is a table of its own with rows of a few bytes: the streams of a commit
-- share few pages. `shot_at` is when the latest shot was taken, `seen_at` when the stream was last
-- heard of, `interval_ms` the median of the last distances between shots.
create table stream_states (
  id integer primary key,
  seq integer not null,
  events integer not null,
  shot_at integer not null,
  seen_at integer not null,
  interval_ms integer
) strict;

-- What the latest shot is stands in its event. When that goes, it is noted here: `noted_seq` is then
-- the seq of the latest shot, and 0 before.
create table streams (
  id integer primary key,
  domain text not null,
  app text not null,
  stream text not null,
  first_seen_at integer not null,
  noted_seq integer not null default 0,
  event_id blob,
  bucket text,
  endpoint text,
  object text,
  captured_at integer,
  received_at integer
) strict;

create unique index streams_by_name on streams (domain, app, stream);

-- Events up to this one were kept before streams were. They are counted in small steps beside the
-- running service, from the newest on, so that no start waits for it.
insert into counters (name, value)
values ('streams_to_fill', coalesce((select max(seq) from events), 0));
