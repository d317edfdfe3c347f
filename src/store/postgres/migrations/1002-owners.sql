-- What an owner of a sink writes: only while its lease still has its token, where one is given.

-- Locks the lease against a takeover, not against a renewal. False: it is somebody else's by now.
create function @.is_held_1(p_task text, p_token uuid) returns boolean language plpgsql as $$
begin
  if p_token is null then return true; end if;
  perform from @.leases where task = p_task and token = p_token for key share;
  return found;
end
$$;

-- Moves a cursor, and keeps what was rejected on the way: both or neither. False: not the owner.
create function @.advance_cursor_1(
  p_sync text, p_token uuid, p_sink text, p_seq bigint, p_at bigint,
  p_seqs bigint[], p_ids text[], p_domains text[], p_origins text[], p_occurred bigint[],
  p_received bigint[], p_reasons text[], p_attempts int[], p_bodies bytea, p_ends int[]
) returns boolean language plpgsql as $$
begin
  perform set_config('synchronous_commit', p_sync, true);
  if not @.is_held_1('sink:' || p_sink, p_token) then return false; end if;
  -- An event can die twice for one sink where a write was not seen: the last death counts.
  if array_length(p_seqs, 1) > 0 then
    insert into @.dead_letters
      (sink, seq, id, occurred_at, domain, origin, received_at, body, reason, attempts, died_at)
    select p_sink, p_seqs[i], decode(p_ids[i], 'hex'), p_occurred[i], p_domains[i], p_origins[i],
      p_received[i], substring(p_bodies from coalesce(p_ends[i - 1], 0) + 1
        for p_ends[i] - coalesce(p_ends[i - 1], 0)),
      p_reasons[i], p_attempts[i], p_at
    from generate_subscripts(p_seqs, 1) i
    on conflict (sink, seq) do update set
      id = excluded.id, occurred_at = excluded.occurred_at, domain = excluded.domain,
      origin = excluded.origin, received_at = excluded.received_at, body = excluded.body,
      reason = excluded.reason, attempts = excluded.attempts, died_at = excluded.died_at,
      retry_requested = false;
  end if;
  insert into @.cursors as c (sink, seq, updated_at) values (p_sink, p_seq, p_at)
  on conflict (sink) do update set seq = excluded.seq, updated_at = excluded.updated_at
  where excluded.seq > c.seq;
  return true;
end
$$;

create function @.advance_replay_1(
  p_sync text, p_token uuid, p_id bigint, p_seq bigint, p_delivered bigint, p_refused bigint,
  p_ended_at bigint
) returns boolean language plpgsql as $$
begin
  perform set_config('synchronous_commit', p_sync, true);
  if not @.is_held_1('sink:' || (select sink from @.replays where id = p_id), p_token) then
    return false;
  end if;
  update @.replays set next_seq = p_seq, delivered = delivered + p_delivered,
    refused = refused + p_refused, ended_at = p_ended_at
  where id = p_id and ended_at is null;
  return true;
end
$$;
