-- How the log is kept from growing for ever.

-- Numbers between two seqs that were really given out: (p_after, p_upto].
create function @.events_between_1(p_after bigint, p_upto bigint) returns bigint
language sql stable as $$
  select greatest(0, p_upto - p_after) - coalesce((
    select sum(greatest(0, least(to_seq, p_upto) - greatest(after_seq, p_after))) from @.jumps
    where to_seq > p_after and after_seq < p_upto
  ), 0)::bigint
$$;

-- Notes a range of what a sink never got; the last one goes on where the sink got nothing since
-- (p_after is its cursor), or where it has very many already.
create function @.note_expired_1(
  p_sink text, p_reason text, p_from bigint, p_to bigint, p_count bigint, p_at bigint,
  p_after bigint
) returns void language plpgsql as $$
declare
  c_most_ranges constant int := 100;
  v_last record;
begin
  select max(from_seq) as from_seq, max(to_seq) as to_seq, count(*) as ranges into v_last
  from @.expired where sink = p_sink and reason = p_reason;
  if v_last.to_seq >= p_after or v_last.ranges >= c_most_ranges then
    update @.expired set to_seq = greatest(to_seq, p_to), count = count + p_count,
      expired_at = p_at
    where sink = p_sink and reason = p_reason and from_seq = v_last.from_seq;
    return;
  end if;
  insert into @.expired as e (sink, reason, from_seq, to_seq, count, expired_at)
  values (p_sink, p_reason, p_from, p_to, p_count, p_at)
  on conflict (sink, reason, from_seq) do update set
    to_seq = greatest(e.to_seq, excluded.to_seq), count = e.count + excluded.count,
    expired_at = excluded.expired_at;
end
$$;

-- Moves the floor, if it still is where the caller saw it (else: no rows, a null first), and the
-- cursors of all who lack something below. One statement: no janitor that is paused holds it up.
create function @.prune_1(
  p_sync text, p_floor bigint, p_to bigint, p_at bigint, p_sinks text[]
) returns table (sink text, lost bigint) language plpgsql as $$
declare
  v_bytes bigint;
  v_sink text;
  v_cursor bigint;
  v_after bigint;
  v_lost bigint;
begin
  perform set_config('synchronous_commit', p_sync, true), set_config('lock_timeout', '2s', true),
    set_config('plan_cache_mode', 'force_generic_plan', true);
  select bytes_upto into v_bytes from @.events where seq = p_to;
  update @.log_state set floor_seq = p_to, floor_bytes = v_bytes where floor_seq = p_floor;
  if not found then
    return query select null::text, null::bigint;
    return;
  end if;
  for v_sink in select unnest(p_sinks) union select c.sink from @.cursors c order by 1 loop
    select c.seq into v_cursor from @.cursors c where c.sink = v_sink for update;
    v_cursor := coalesce(v_cursor, 0);
    continue when v_cursor >= p_to;
    v_after := greatest(v_cursor, p_floor);
    v_lost := @.events_between_1(v_after, p_to);
    insert into @.cursors as c (sink, seq, updated_at) values (v_sink, p_to, p_at)
    on conflict on constraint cursors_pkey do update
    set seq = greatest(c.seq, excluded.seq), updated_at = excluded.updated_at;
    if v_lost > 0 then
      perform @.note_expired_1(v_sink, 'expired',
        (select e.seq from @.events e where e.seq > v_after order by e.seq limit 1),
        p_to, v_lost, p_at, v_cursor);
      return query select v_sink, v_lost;
    end if;
  end loop;
end
$$;

-- Removes the oldest dead letters: up to p_limit, and up to p_bytes of bodies, at least one.
create function @.prune_letters_1(p_sync text, p_limit int, p_bytes bigint, p_at bigint)
returns table (sink text, lost bigint) language plpgsql as $$
declare
  v_letter record;
begin
  perform set_config('synchronous_commit', p_sync, true);
  for v_letter in
    delete from @.dead_letters d using (
      select number from (
        select number, sum(length(body)) over (order by number) as bytes,
          row_number() over (order by number) as nth
        from (select number, body from @.dead_letters order by number limit p_limit) o
      ) w where nth = 1 or bytes <= p_bytes
    ) g where d.number = g.number
    returning d.sink as owner, d.seq
  loop
    perform @.note_expired_1(v_letter.owner, 'letters_expired', v_letter.seq, v_letter.seq, 1, p_at, 0);
    sink := v_letter.owner;
    lost := 1;
    return next;
  end loop;
end
$$;
