-- Events that a sink has refused for good, each with a copy of its own: the log may be pruned, and
-- a letter must outlive that. One row per sink and event.
create table dead_letters (
  sink text not null,
  seq integer not null,
  id blob not null check (length(id) = 32),
  occurred_at integer not null,
  domain text not null,
  origin text not null,
  received_at integer not null,
  body blob not null,
  reason text not null,
  attempts integer not null,
  died_at integer not null,
  retry_requested integer not null default 0
) strict;

create unique index dead_letters_by_event on dead_letters (sink, seq);

-- The running service asks for these every second.
create index dead_letters_to_retry on dead_letters (sink, seq) where retry_requested = 1;

-- Counted for the metrics, as events are; and here one sink may have refused very many.
create trigger dead_letters_counted after insert on dead_letters begin
  insert into counters (name, value) values ('dead_letters ' || new.sink, 1)
  on conflict (name) do update set value = value + 1;
end;

create trigger dead_letters_uncounted after delete on dead_letters begin
  update counters set value = value - 1 where name = 'dead_letters ' || old.sink;
end;
