-- One page of the log: events after p_after, up to p_limit, and up to p_bytes of bodies, at least one.
-- A function, since its plan is kept by the session: to plan for all partitions anew costs more than
-- to read a page.
create function @.read_1(p_after bigint, p_limit int, p_bytes bigint)
returns table (
  seq bigint, id bytea, domain text, origin text, received_at bigint, occurred_at bigint, body bytea
) language plpgsql stable
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_sort = off set jit = off
as $$
#variable_conflict use_column
declare
  v_after bigint;
begin
  select greatest(p_after, floor_seq) into v_after from @.log_state;
  return query
    select p.seq, p.id, p.domain, p.origin, p.received_at, p.occurred_at, p.body
    from (
      select e.*, row_number() over page as nth, sum(length(e.body)) over page as bytes
      from (
        select * from @.events where seq > v_after order by seq limit p_limit
      ) e window page as (order by e.seq rows unbounded preceding)
    ) p where p.nth = 1 or p.bytes <= p_bytes order by p.seq;
end
$$;

-- The end of the log: its last event, and the running total of bytes there. No row where there is none.
create function @.log_end_1() returns table (seq bigint, bytes_upto bigint) language plpgsql stable
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_sort = off set jit = off
as $$
#variable_conflict use_column
begin
  return query select seq, bytes_upto from @.events order by seq desc limit 1;
end
$$;

-- The first events after p_after, without their bodies, for those who decide what may go.
create function @.oldest_1(p_after bigint, p_limit int) returns table (seq bigint, received_at bigint, bytes int)
language plpgsql stable
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_sort = off set jit = off
as $$
#variable_conflict use_column
begin
  return query
    select seq, received_at, length(body) from @.events where seq > p_after order by seq limit p_limit;
end
$$;
