-- What a node's loops have to be told of the log after a position, oldest first: nothing where it has not gone on. A row for one device
-- goes to the node that has its connection. The last row is none of the log's: `is_told` is false, `seq` how far the log was looked
-- at, `status` 1 where somebody may wait until this node has applied it, though no row of that was for its loops, and `version` where a
-- device's membership was told last, though it is another node's device. `p_limit` is how many positions that are at most.
CREATE OR REPLACE FUNCTION tail_1(p_node integer, p_after bigint, p_limit integer,
  OUT seq bigint, OUT is_told boolean, OUT kind integer, OUT target bigint, OUT created bigint, OUT expires bigint, OUT wall_offset bigint,
  OUT app integer, OUT within integer, OUT flags integer, OUT display integer, OUT status integer, OUT version bigint, OUT ref bigint,
  OUT body bytea, OUT tag bytea)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  v_first bigint := (SELECT l.seq FROM log l WHERE l.seq > p_after ORDER BY l.seq LIMIT 1);
  v_last bigint;
  v_is_awaited boolean;
  v_last_membership bigint;
  v_devices bigint[];
BEGIN
  IF v_first IS NULL THEN
    RETURN;
  END IF;
  SELECT max(l.seq), bool_or(l.kind > 2), max(l.seq) FILTER (WHERE l.kind = 4),
      array_agg(l.target & 72057594037927935) FILTER (WHERE l.target >> 56 = 1)
    INTO v_last, v_is_awaited, v_last_membership, v_devices FROM log l WHERE l.seq BETWEEN v_first AND v_first + p_limit - 1;
  -- All of them in one look: most devices are another node's, or nobody's.
  IF v_devices IS NOT NULL THEN
    v_devices := ARRAY(SELECT s.ordinal FROM session s WHERE s.ordinal = ANY (v_devices) AND s.node = p_node);
  END IF;
  RETURN QUERY
  SELECT l.seq, true, l.kind::integer, l.target, coalesce((t).created, l.created), l.expires, coalesce((t).wall_offset, l.wall_offset),
    l.app, l.within, l.flags::integer, coalesce((t).display, l.display)::integer, coalesce((t).status, l.status)::integer,
    coalesce((t).version, l.version), l.ref,
    CASE WHEN l.kind = 2 THEN substring((t).payload FROM (t).body_start + 1 FOR (t).body_end - (t).body_start)
      ELSE substring(l.payload FROM l.body_start + 1 FOR l.body_end - l.body_start) END,
    coalesce((t).tag, l.tag)
  FROM (
    -- Few rows refer to others: no join with each of them.
    SELECT x.*, CASE WHEN x.kind = 2 THEN (SELECT r FROM log r WHERE r.seq = x.ref) END AS t FROM log x
    WHERE x.seq BETWEEN v_first AND v_last
      AND CASE WHEN x.kind IN (6, 7, 8, 12) THEN x.app = p_node
        ELSE x.target >> 56 <> 1 OR x.target & 72057594037927935 = ANY (v_devices) END
    ORDER BY x.seq OFFSET 0) l;
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
