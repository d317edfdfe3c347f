-- The latest shot of each stream, so that a look at all streams costs the same at any size of the
-- log. An empty app or stream is one that no body named. Times are in epoch ms: `shot_at` is when the
-- latest shot was taken, `seen_at` when the stream was last heard of. `gaps` are the last distances
-- between shots, in ms, and `interval_ms` their median.
create table streams (
  id integer primary key,
  domain text not null,
  app text not null,
  stream text not null,
  events integer not null,
  first_seen_at integer not null,
  seq integer not null,
  event_id blob not null,
  bucket text,
  endpoint text,
  object text,
  captured_at integer,
  received_at integer not null,
  shot_at integer not null,
  seen_at integer not null,
  interval_ms integer,
  gaps text not null
) strict;

create unique index streams_by_name on streams (domain, app, stream);

-- Events up to this one were kept before streams were. They are counted in small steps beside the
-- running service, from the newest on, so that no start waits for it.
insert into counters (name, value)
values ('streams_to_fill', coalesce((select max(seq) from events), 0));
