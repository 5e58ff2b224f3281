-- Takeover between nodes, by entries of the log: the connection that a device has is asked to give way, settles, and the one that waits
-- for it has the device. These take the lane, as they write another node's rows and positions.

-- Some connections wait for devices that another node's connections have (`outcome` 1 of claim_2), or one of their own node's for which
-- another node's waits. The connection that has the device is asked each time, as it may not have heard of it before. Whoever
-- waited before is refused, but a connection that only asks once more.
-- `outcome`: 0 it waits; 2 the device is free by now, or has changed: claim it again.
CREATE OR REPLACE FUNCTION displace_1(p_now bigint, p_node integer, p_ordinal bigint[], p_session bigint[], p_version integer[], OUT n integer, OUT outcome integer)
  RETURNS SETOF record LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  v_now bigint;
  v_head bigint;
BEGIN
  PERFORM take_lane(p_now);
  v_now := store_time(p_now);
  v_head := head();
  PERFORM ring_bell(v_now - last_made());
  RETURN QUERY
  WITH request AS MATERIALIZED (
    SELECT r.n::integer, r.ordinal, r.session AS waiting, s.node, s.session, s.successor, s.successor_node,
      s.version = r.version AND s.node IS NOT NULL AND (s.node <> p_node OR s.successor IS NOT NULL) AS is_held, s.node = p_node AS is_own
    FROM (SELECT * FROM unnest(p_ordinal, p_session, p_version) WITH ORDINALITY AS u(ordinal, session, version, n) ORDER BY u.ordinal) r
    CROSS JOIN LATERAL (SELECT * FROM session x WHERE x.ordinal = r.ordinal FOR UPDATE) s
  ), told AS (
    INSERT INTO log (seq, target, created, kind, app, version, status)
    SELECT v_head + row_number() OVER (ORDER BY e.n, e.kind), 1::bigint << 56 | e.ordinal, v_now, e.kind, e.node, e.session, 0
    FROM (
      SELECT r.n, r.ordinal, 6 AS kind, r.node, r.session FROM request r WHERE r.is_held AND NOT r.is_own
      UNION ALL
      SELECT r.n, r.ordinal, 8, r.successor_node, r.successor FROM request r WHERE r.is_held AND r.successor <> r.waiting) e
  ), noted AS (
    UPDATE session s SET successor = CASE WHEN NOT r.is_own THEN r.waiting END, successor_node = CASE WHEN NOT r.is_own THEN p_node END
    FROM request r WHERE s.ordinal = r.ordinal AND r.is_held
  )
  SELECT r.n, CASE WHEN r.is_held THEN 0 ELSE 2 END::integer FROM request r;
END
$$;

-- Some connections of a node have settled, and others wait for their devices (what detach_1 has told): these have them now.
CREATE OR REPLACE FUNCTION hand_over_1(p_now bigint, p_node integer, p_ordinal bigint[], p_session bigint[], p_cursor bigint[],
  p_beyond_of bigint[], p_beyond bigint[])
  RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_now bigint;
  v_head bigint;
BEGIN
  PERFORM take_lane(p_now);
  v_now := store_time(p_now);
  v_head := head();
  PERFORM ring_bell(v_now - last_made());
  WITH request AS MATERIALIZED (
    SELECT r.ordinal, r.cursor, s.successor, s.successor_node
    FROM (SELECT * FROM unnest(p_ordinal, p_session, p_cursor) AS u(ordinal, session, cursor) ORDER BY u.ordinal) r
    CROSS JOIN LATERAL (
      SELECT * FROM session x WHERE x.ordinal = r.ordinal AND x.node = p_node AND x.session = r.session FOR UPDATE) s
  ), told AS (
    INSERT INTO log (seq, target, created, kind, app, version)
    SELECT v_head + row_number() OVER (ORDER BY r.ordinal), 1::bigint << 56 | r.ordinal, v_now, 7, r.successor_node, r.successor
    FROM request r WHERE r.successor IS NOT NULL
  )
  UPDATE session s SET node = r.successor_node, session = r.successor, successor = NULL, successor_node = NULL, seen = wall(),
    cursor = greatest(s.cursor, r.cursor),
    beyond = beyond_of(s.ordinal, s.beyond, greatest(s.cursor, r.cursor), p_beyond_of, p_beyond)
  FROM request r WHERE s.ordinal = r.ordinal;
END
$$;
