-- What a sink never got, since there was no room or no time left for it: a range in place of a dead
-- letter for each event. `reason` is 'expired' for events, 'letters_expired' for dead letters.
create table expired (
  sink text not null,
  reason text not null,
  from_seq integer not null,
  to_seq integer not null,
  count integer not null,
  expired_at integer not null,
  primary key (sink, reason, from_seq)
) strict, without rowid;

-- What dead letters take, in bytes, so that they don't crowd out what is still to be delivered.
insert into counters (name, value)
select 'dead_letter_bytes', coalesce(sum(length(body) + length(reason) + 200), 0) from dead_letters;

create trigger dead_letters_weighed after insert on dead_letters begin
  update counters set value = value + length(new.body) + length(new.reason) + 200
  where name = 'dead_letter_bytes';
end;

create trigger dead_letters_unweighed after delete on dead_letters begin
  update counters set value = value - length(old.body) - length(old.reason) - 200
  where name = 'dead_letter_bytes';
end;

create trigger dead_letters_reweighed after update of body, reason on dead_letters begin
  update counters set value = value + length(new.body) + length(new.reason)
    - length(old.body) - length(old.reason)
  where name = 'dead_letter_bytes';
end;
