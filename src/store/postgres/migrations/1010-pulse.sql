-- A pulse whose answer never came may have claimed a task. The next one of the same replica used to find
-- it among what is held, and to trust it from then on, though it ran from the earlier pulse: two could act
-- at once. It is claimed anew instead, and held is only what this pulse renewed or claimed.
create function @.pulse_2(
  p_replica uuid, p_name text, p_version text, p_view jsonb, p_tokens uuid[], p_wanted text[],
  p_ttl_ms int, p_patience_ms int
) returns jsonb language plpgsql as $$
declare
  v_begun timestamptz := clock_timestamp();
  v_answer jsonb;
begin
  update @.leases set expires_at = '-infinity'
  where task in (
    select task from @.leases
    where replica = p_replica and task = any (p_wanted) and token <> all (p_tokens)
      and expires_at > v_begun
    for update skip locked
  );
  v_answer := @.pulse_1(
    p_replica, p_name, p_version, p_view, p_tokens, p_wanted, p_ttl_ms, p_patience_ms
  );
  return jsonb_set(v_answer, '{held}', (
    select coalesce(jsonb_object_agg(task, token), '{}') from @.leases
    where replica = p_replica and expires_at >= v_begun + p_ttl_ms * interval '1 ms'
  ));
end
$$;
