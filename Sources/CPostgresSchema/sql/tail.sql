-- What a node's loops have to be told of the log after a position, oldest first: nothing where it has not gone on. What is for or about
-- single devices is told where it is little; of more than `p_few` only positions and devices are, in the last row, as most of them are
-- another node's or nobody's: the node asks for its own by rows_1.
--
-- The last row is none of the log's: `is_told` is false, `seq` how far the log was looked at, `status` 1 where somebody may wait until this
-- node has applied it, though no row of that was for its loops, and `version` where a device's membership was told last, though it is
-- another node's device. `p_limit` is how many positions that are at most.
CREATE OR REPLACE FUNCTION tail_2(p_node integer, p_after bigint, p_limit integer, p_few integer,
  OUT seq bigint, OUT is_told boolean, OUT kind integer, OUT target bigint, OUT created bigint, OUT expires bigint, OUT wall_offset bigint,
  OUT app integer, OUT within integer, OUT flags integer, OUT display integer, OUT status integer, OUT version bigint, OUT ref bigint,
  OUT body bytea, OUT tag bytea, OUT single_seq bigint[], OUT single_device bigint[])
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  v_first bigint;
  -- What may not be at the standby yet is told by a later reading.
  v_end bigint;
  v_last bigint;
  v_is_awaited boolean;
  v_last_membership bigint;
  v_told bigint[];
BEGIN
  SELECT l.seq INTO v_first FROM log l WHERE l.seq > p_after ORDER BY l.seq LIMIT 1;
  IF v_first IS NULL THEN
    RETURN;
  END IF;
  v_end := unconfirmed_from();
  IF v_first >= v_end THEN
    RETURN;
  END IF;
  -- What is about a connection is for the node that has it, or waits for it.
  SELECT max(l.seq), bool_or(l.kind > 2), max(l.seq) FILTER (WHERE l.kind = 4),
      array_agg(l.seq) FILTER (WHERE NOT l.is_single AND (l.kind NOT IN (6, 7, 8, 12) OR l.app = p_node)),
      array_agg(l.seq) FILTER (WHERE l.is_single), array_agg(l.target & 72057594037927935) FILTER (WHERE l.is_single)
    INTO v_last, v_is_awaited, v_last_membership, v_told, single_seq, single_device
    FROM (
      SELECT x.seq, x.kind, x.target, x.app, x.target >> 56 = 1 AND x.kind NOT IN (6, 7, 8, 12) AS is_single FROM log x
      WHERE x.seq BETWEEN v_first AND least(v_first + p_limit, v_end) - 1 OFFSET 0) l;
  IF cardinality(single_seq) <= p_few THEN
    v_told := v_told || single_seq;
    single_seq := NULL;
    single_device := NULL;
  END IF;
  IF v_told IS NOT NULL THEN
    RETURN QUERY SELECT r.*, NULL::bigint[], NULL::bigint[] FROM rows_1(v_told) r;
  END IF;
  seq := v_last;
  is_told := false;
  kind := 14;
  status := v_is_awaited::integer;
  version := v_last_membership;
  target := 0;
  created := 0;
  RETURN NEXT;
END
$$;

-- Some rows of the log as nodes are told them, oldest first.
CREATE OR REPLACE FUNCTION rows_1(p_seq bigint[],
  OUT seq bigint, OUT is_told boolean, OUT kind integer, OUT target bigint, OUT created bigint, OUT expires bigint, OUT wall_offset bigint,
  OUT app integer, OUT within integer, OUT flags integer, OUT display integer, OUT status integer, OUT version bigint, OUT ref bigint,
  OUT body bytea, OUT tag bytea)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT l.seq, true, l.kind::integer, l.target, coalesce((t).created, l.created), l.expires, coalesce((t).wall_offset, l.wall_offset),
    l.app, l.within, l.flags::integer, coalesce((t).display, l.display)::integer, coalesce((t).status, l.status)::integer,
    coalesce((t).version, l.version), l.ref,
    CASE WHEN l.kind = 2 THEN substring((t).payload FROM (t).body_start + 1 FOR (t).body_end - (t).body_start)
      ELSE substring(l.payload FROM l.body_start + 1 FOR l.body_end - l.body_start) END,
    coalesce((t).tag, l.tag)
  FROM (
    -- Few rows refer to others: no join with each of them.
    SELECT x.*, CASE WHEN x.kind = 2 THEN (SELECT r FROM log r WHERE r.seq = x.ref) END AS t
    FROM (SELECT u.seq FROM unnest(p_seq) AS u(seq) ORDER BY u.seq) u
    CROSS JOIN LATERAL (SELECT * FROM log x WHERE x.seq = u.seq OFFSET 0) x
    ORDER BY x.seq OFFSET 0) l;
END
$$;
