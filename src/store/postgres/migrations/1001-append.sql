-- Keeps a group of events. It commits before it returns, so that no client that is paused can hold
-- the lock; a `set` clause or `security definer` would forbid that. An older release beside a newer
-- one calls its own version: a change is another procedure with another number.
--
-- p_again: the group was sent before and its fate is not known. What is found with our own time of
-- receipt is then that earlier try.
create procedure @.append_1(
  in p_sync text, in p_again boolean, in p_ids bytea, in p_domains text[], in p_origins text[],
  in p_occurred bigint[], in p_received bigint[], in p_bodies bytea, in p_ends int[],
  inout seqs bigint[], inout fresh boolean[], inout waited double precision, inout failover text
) language plpgsql as $$
declare
  c_lock_class constant int := 1936613744; -- "snap" in ASCII
  c_event_bytes constant int := 350;
  c_jump constant bigint := 1048576;
  v_count constant int := coalesce(array_length(p_ends, 1), 0);
  v_state @.log_state;
  v_timeline text;
  v_last bigint;
  v_known_after bigint;
  v_bytes bigint;
  v_added bigint;
  v_asked_at constant timestamptz := clock_timestamp();
begin
  perform set_config('synchronous_commit', p_sync, true), set_config('lock_timeout', '2s', true),
    set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true),
    set_config('plan_cache_mode', 'force_generic_plan', true);
  -- Under any other isolation the statements below would see the log as it was before the lock.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'appends need the isolation "read committed"' using errcode = 'SH001';
  end if;
  -- Behind a pooler or a name the server may be another one than it was.
  if pg_is_in_recovery() then
    raise exception 'the server is a standby' using errcode = 'read_only_sql_transaction';
  end if;
  perform pg_advisory_xact_lock(c_lock_class, '@'::regnamespace::oid::int);
  waited := extract(epoch from clock_timestamp() - v_asked_at);

  select * into v_state from @.log_state;
  select seq, bytes_upto into v_last, v_bytes from @.events order by seq desc limit 1;
  select greatest(v_state.floor_seq, v_last, max(to_seq)) into v_last from @.jumps;
  v_bytes := coalesce(v_bytes, v_state.floor_bytes);

  -- After a failover the last numbers may have been given to events that are lost: none comes twice.
  v_timeline := substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8);
  if v_state.timeline is distinct from v_timeline then
    if v_state.timeline is not null then
      insert into @.jumps (after_seq, to_seq, timeline)
      values (v_last, v_last + c_jump, v_timeline);
      v_last := v_last + c_jump;
      failover := v_timeline;
    end if;
    update @.log_state set timeline = v_timeline,
      failovers = failovers + (v_state.timeline is not null)::int;
  end if;

  perform @.make_partitions_1(v_last + v_count);

  -- Duplicates are above this: in the first partition that may hold one, or in a later one.
  select greatest(v_state.dedupe_after, min(p.from_seq) - 1) into v_known_after
  from @.partitions p, (select min(o) as oldest, max(o) as newest from unnest(p_occurred) o) g
  where p.occurred_to is null or (p.occurred_from <= g.newest and p.occurred_to >= g.oldest);

  with given as materialized (
    select i, substring(p_ids from 32 * (i - 1) + 1 for 32) as id, p_occurred[i] as occurred_at
    from generate_series(1, v_count) i
  ),
  looked as materialized (
    select g.*, f.seq as known_seq, f.received_at as known_at,
      min(i) over (partition by g.occurred_at, g.id) as first
    from given g left join lateral (
      select e.seq, e.received_at from @.events e
      where e.occurred_at = g.occurred_at and e.id = g.id and e.seq > v_known_after
      limit 1
    ) f on true
  ),
  numbered as materialized (
    select *, case when known_seq is null and i = first then
      v_last + count(*) filter (where known_seq is null and i = first) over (order by i)
    end as given_seq
    from looked
  ),
  added as (
    insert into @.events
      (seq, bytes_upto, id, occurred_at, received_at, domain, origin, body)
    select given_seq,
      v_bytes + sum(p_ends[i] - coalesce(p_ends[i - 1], 0) + c_event_bytes) over (order by i),
      id, occurred_at, p_received[i], p_domains[i], p_origins[i],
      substring(p_bodies from coalesce(p_ends[i - 1], 0) + 1
        for p_ends[i] - coalesce(p_ends[i - 1], 0))
    from numbered where given_seq is not null order by i
  ),
  answered as (
    select i, given_seq,
      coalesce(known_seq, max(given_seq) over (partition by occurred_at, id)) as seq,
      given_seq is not null
        or (p_again and i = first and known_at is not distinct from p_received[i]) as fresh
    from numbered
  )
  select array_agg(a.seq order by i), array_agg(a.fresh order by i), count(a.given_seq)
  into seqs, fresh, v_added from answered a;

  insert into @.tallies as t (domain, last_callback_at)
  select domain, max(received_at) as at
  from unnest(p_domains, p_received, p_origins) as g (domain, received_at, origin)
  where origin = 'callback'
  group by domain
  having not exists (
    select from @.tallies k where k.domain = g.domain and k.last_callback_at > max(g.received_at) - 1000
  )
  on conflict (domain) do update
  set last_callback_at = greatest(excluded.last_callback_at, t.last_callback_at);

  -- A commit that wrote nothing is not waited for; what was found must be on disk all the same.
  if v_added = 0 then perform pg_logical_emit_message(true, 'snaphook', ''); end if;
  commit;
end
$$;

-- Makes partitions until there is one for `p_seq`. Under the log's lock.
create function @.make_partitions_1(p_seq bigint) returns void language plpgsql as $$
declare
  c_least constant bigint := 65536;
  c_most constant bigint := 8388608;
  c_kept constant int := 8;
  v_newest @.partitions;
  v_width bigint;
  v_name text;
  v_from bigint;
begin
  loop
    select * into v_newest from @.partitions order by from_seq desc limit 1;
    if v_newest.to_seq > p_seq then return; end if;
    v_from := coalesce(v_newest.to_seq, 0);
    -- What came in six hours, going by the last partition.
    v_width := case when v_newest.name is null then c_least else
      least(c_most, greatest(c_least, ((v_newest.to_seq - v_newest.from_seq) * 21600
        / greatest(1, extract(epoch from clock_timestamp() - v_newest.made_at)))::bigint))
    end;
    -- A jump goes far: one partition takes it whole.
    v_width := greatest(v_width, p_seq - v_from + 1);
    v_name := 'events_' || v_from;
    -- `create table ... partition of` would wait for readers, and appends behind it.
    execute format('create table @.%I (like @.events including constraints)', v_name);
    execute format('create unique index on @.%I (occurred_at, id)', v_name);
    execute format('alter table @.events attach partition @.%I for values from (%s) to (%s)',
      v_name, v_from, v_from + v_width);
    insert into @.partitions (name, from_seq, to_seq) values (v_name, v_from, v_from + v_width);
    -- Nothing is added any more to those that are full.
    update @.partitions p set
      occurred_from = (
        select e.occurred_at from @.events e where e.seq >= p.from_seq and e.seq < p.to_seq
        order by e.occurred_at limit 1
      ),
      occurred_to = (
        select e.occurred_at from @.events e where e.seq >= p.from_seq and e.seq < p.to_seq
        order by e.occurred_at desc limit 1
      )
    where p.occurred_to is null
      and p.to_seq <= (select e.seq + 1 from @.events e order by e.seq desc limit 1);
    -- Duplicates are known for a day of receipt, and for the last partitions in any case.
    update @.log_state set dedupe_after = coalesce((
      select min(from_seq) - 1 from (
        select from_seq, to_seq, row_number() over (order by from_seq desc) as nth,
          lead(made_at) over (order by from_seq) as full_at
        from @.partitions
      ) p where nth <= c_kept or full_at > clock_timestamp() - interval '1 day'
    ), dedupe_after);
  end loop;
end
$$;
