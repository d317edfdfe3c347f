-- The latest shot of each stream, so that a look at all streams costs the same at any size of the
-- log. An empty app or stream is one that no body named. Times are in epoch ms. One replica counts
-- them, right behind the log: bodies are understood outside of the lock that appends take.
create table @.streams (
  domain text not null,
  app text not null,
  stream text not null,
  events bigint not null,
  first_seen_at bigint not null,
  seq bigint not null,
  event_id text not null,
  bucket text,
  endpoint text,
  object text,
  captured_at bigint,
  received_at bigint not null,
  shot_at bigint not null,
  seen_at bigint not null,
  interval_ms bigint,
  gaps text not null,
  primary key (domain, app, stream)
) with (fillfactor = 70);
create index streams_by_seq on @.streams (seq);

-- Events up to this one are counted.
insert into @.counters (name, value) values ('streams_upto', 0);
