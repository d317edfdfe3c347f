-- What every replica does each second, in one statement: says that it is there, renews what it
-- holds, claims what is free, and learns of the others. By the database's clock alone. A stuck
-- standby takes no ownership away: nothing here is waited for on disk.
create function @.pulse_1(
  p_replica uuid, p_name text, p_version text, p_view jsonb, p_tokens uuid[], p_wanted text[],
  p_ttl_ms int, p_patience_ms int
) returns jsonb language plpgsql as $$
declare
  v_task text;
  v_now timestamptz;
  v_answer jsonb;
begin
  perform set_config('synchronous_commit', 'off', true), set_config('lock_timeout', '1s', true);
  v_now := clock_timestamp();
  insert into @.peers as p (replica, name, version, started_at, seen_at, view)
  values (p_replica, p_name, p_version, v_now, v_now, p_view)
  on conflict (replica) do update
  set seen_at = v_now, view = p_view, name = p_name, version = p_version;

  -- Renewals name the tenure: whoever has lost one can't have it back by being the same process.
  update @.leases set expires_at = v_now + p_ttl_ms * interval '1 ms'
  where replica = p_replica and token = any (p_tokens) and expires_at > v_now;

  foreach v_task in array p_wanted loop
    -- Not one that an owner's write still has locked: that is waited for by trying again.
    perform from @.leases where task = v_task
      and expires_at <= v_now - p_patience_ms * interval '1 ms' for update skip locked;
    if found then
      update @.leases set replica = p_replica, token = gen_random_uuid(), since = v_now,
        expires_at = v_now + p_ttl_ms * interval '1 ms'
      where task = v_task;
    else
      insert into @.leases (task, replica, token, since, expires_at)
      values (v_task, p_replica, gen_random_uuid(), v_now, v_now + p_ttl_ms * interval '1 ms')
      on conflict (task) do nothing;
    end if;
  end loop;

  select jsonb_build_object(
    'held', (
      select coalesce(jsonb_object_agg(task, token), '{}') from @.leases
      where replica = p_replica and expires_at > v_now
    ),
    'peers', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'replica', p.replica, 'name', p.name, 'version', p.version,
        'startedAt', floor(extract(epoch from p.started_at) * 1000),
        'seenMs', floor(extract(epoch from v_now - p.seen_at) * 1000),
        'tasks', (
          select coalesce(jsonb_agg(task order by task), '[]') from @.leases l
          where l.replica = p.replica and l.expires_at > v_now
        ),
        'view', p.view) order by p.started_at), '[]')
      from @.peers p where p.seen_at > v_now - interval '1 minute'
    ),
    'asked', (
      select coalesce(jsonb_object_agg(domain, extract(epoch from asked_at)), '{}')
      from @.registrations where asked_at > v_now - interval '5 seconds'
    )
  ) into v_answer;
  return v_answer;
end
$$;

-- Hands tasks back: free for whoever is next.
create function @.release_1(p_tokens uuid[]) returns void language plpgsql as $$
begin
  perform set_config('synchronous_commit', 'off', true);
  update @.leases set expires_at = '-infinity' where token = any (p_tokens);
end
$$;

-- A replica that stops says so, and those that did not are forgotten after an hour.
create function @.leave_1(p_replica uuid) returns void language plpgsql as $$
begin
  perform set_config('synchronous_commit', 'off', true);
  update @.leases set expires_at = '-infinity' where replica = p_replica;
  delete from @.peers
  where replica = p_replica or seen_at < clock_timestamp() - interval '1 hour';
end
$$;

-- Asks the owner of the registrar for a look, at most once in 30 seconds for a domain.
create function @.ask_look_1(p_domain text) returns boolean language plpgsql as $$
begin
  perform set_config('synchronous_commit', 'off', true);
  insert into @.registrations as r (domain, asked_at) values (p_domain, clock_timestamp())
  on conflict (domain) do update set asked_at = clock_timestamp()
  where r.asked_at is null or r.asked_at < clock_timestamp() - interval '30 seconds';
  return found;
end
$$;
