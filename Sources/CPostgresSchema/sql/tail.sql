-- What a node's loops have to be told of the log after a position, oldest first. A row for one device goes to the node that has its
-- connection; the last one looked at comes in any case, so that the node knows how far it is (`is_told` false: for nobody here).
CREATE OR REPLACE FUNCTION tail_1(p_node integer, p_after bigint, p_limit integer,
  OUT seq bigint, OUT is_told boolean, OUT kind integer, OUT target bigint, OUT created bigint, OUT expires bigint, OUT wall_offset bigint,
  OUT app integer, OUT within integer, OUT flags integer, OUT display integer, OUT status integer, OUT version bigint, OUT ref bigint,
  OUT body bytea, OUT tag bytea)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH page AS MATERIALIZED (
    SELECT l.seq, l.kind, l.target, l.created, l.expires, l.wall_offset, l.app, l.within, l.flags, l.display, l.status, l.version, l.ref,
      l.body_start, l.body_end, l.payload, l.tag,
      CASE WHEN l.kind IN (6, 7, 8, 12) THEN l.app = p_node
        ELSE l.target >> 56 <> 1 OR (SELECT s.node FROM session s WHERE s.ordinal = l.target & 72057594037927935) IS NOT DISTINCT FROM p_node
      END AS is_told
    FROM log l WHERE l.seq > p_after ORDER BY l.seq LIMIT p_limit
  )
  SELECT p.seq, p.is_told, p.kind::integer, p.target, coalesce(t.created, p.created), p.expires, coalesce(t.wall_offset, p.wall_offset), p.app,
    p.within, p.flags::integer, coalesce(t.display, p.display)::integer, coalesce(t.status, p.status)::integer, coalesce(t.version, p.version), p.ref,
    CASE WHEN NOT p.is_told THEN NULL
      WHEN p.kind = 2 THEN substring(t.payload FROM t.body_start + 1 FOR t.body_end - t.body_start)
      ELSE substring(p.payload FROM p.body_start + 1 FOR p.body_end - p.body_start) END,
    CASE WHEN p.is_told THEN coalesce(t.tag, p.tag) END
  FROM page p LEFT JOIN LATERAL (SELECT * FROM log r WHERE p.kind = 2 AND r.seq = p.ref OFFSET 0) t ON true
  WHERE p.is_told OR p.seq = (SELECT max(seq) FROM page)
  ORDER BY p.seq;
END
$$;
