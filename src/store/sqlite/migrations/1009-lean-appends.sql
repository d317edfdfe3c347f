-- What an append need not write by itself.
--
-- Streams are counted from the log: up to this event their tables say what it says, and what came
-- after is remembered by the writer, and written once for many commits. So the log is the only thing
-- that a crash has to leave whole.
insert into counters (name, value)
values ('streams_counted', coalesce((select seq from sqlite_sequence where name = 'events'), 0));

-- The last distances between shots, up to eight of four bytes each: after a restart the interval is
-- what it would have been without one. Null: all are `interval_ms`.
alter table stream_states add column gaps blob;

-- Who appends a group counts it at once, and says so with a 1; where an earlier version appends, the
-- trigger counts as it did.
alter table events add column counted integer;
drop trigger events_counted;
create trigger events_counted after insert on events when new.counted is null begin
  update counters set value = value + 1 where name = 'events';
end;
