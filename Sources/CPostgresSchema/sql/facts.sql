-- What devices acknowledged. Facts do not take the lane: a node writes rows of its own. They share a second lock, which what withdraws
-- takes alone: so no count that anybody has read falls back.

-- Writes what a node has counted: each bitmap as a whole, NULL for the device of a unicast. What somebody was told first stays: of a
-- bitmap of which others have written otherwise, or the store has withdrawn some, nothing is written, and all of that is returned. The node
-- leaves it out and writes the rest `p_anyway`. The device of a unicast is left out at once.
CREATE OR REPLACE FUNCTION settle_1(p_node integer, p_seq bigint[], p_mark integer[], p_chunk integer[], p_bits bytea[], p_anyway boolean,
  OUT n integer, OUT bits bytea)
  RETURNS SETOF record LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
BEGIN
  PERFORM pg_advisory_xact_lock_shared(1886613553, 1);
  PERFORM check_node(p_node);
  RETURN QUERY
  WITH told AS MATERIALIZED (
    SELECT u.* FROM unnest(p_seq, p_mark, p_chunk, p_bits) WITH ORDINALITY AS u(seq, mark, chunk, bits, n)
  ), otherwise AS MATERIALIZED (
    SELECT t.n, o.bits FROM told t CROSS JOIN LATERAL (
      SELECT r.bits FROM receipt r
      WHERE r.seq = t.seq AND r.mark = ANY (ARRAY[0, 1, 4]::smallint[]) AND r.chunk = t.chunk AND r.mark <> t.mark
        AND (r.bits IS NULL OR r.node <> p_node)
      UNION ALL
      SELECT m.bits FROM mark m
      WHERE m.seq = t.seq AND m.mark = ANY (ARRAY[1, 2]::smallint[]) AND m.chunk = t.chunk AND m.mark <> t.mark) o
    WHERE NOT p_anyway
  ), written AS (
    INSERT INTO receipt AS r (seq, mark, chunk, node, bits)
    SELECT t.seq, t.mark, t.chunk, p_node, t.bits FROM told t WHERE t.n NOT IN (SELECT o.n FROM otherwise o)
    ORDER BY t.seq, t.mark, t.chunk
    ON CONFLICT (seq, mark, chunk, node) DO UPDATE SET bits = excluded.bits WHERE r.bits IS DISTINCT FROM excluded.bits
  )
  SELECT o.n::integer, o.bits FROM otherwise o;
END
$$;

-- What a device has acknowledged beyond its cursor: what was known, and what is told of it.
CREATE OR REPLACE FUNCTION beyond_of(p_ordinal bigint, p_known bigint[], p_cursor bigint, p_of bigint[], p_positions bigint[]) RETURNS bigint[]
  LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF p_known IS NULL AND NOT p_ordinal = ANY (p_of) THEN
    RETURN NULL;
  END IF;
  RETURN (
    SELECT array_agg(DISTINCT b.position ORDER BY b.position) FROM (
      SELECT unnest(p_known) UNION ALL
      SELECT u.position FROM unnest(p_of, p_positions) AS u(ordinal, position) WHERE u.ordinal = p_ordinal) AS b(position)
    WHERE b.position > p_cursor);
END
$$;

-- How far devices are that stay connected.
CREATE OR REPLACE FUNCTION move_cursors_1(p_node integer, p_ordinal bigint[], p_cursor bigint[], p_beyond_of bigint[], p_beyond bigint[])
  RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  WITH held AS MATERIALIZED (
    SELECT s.ordinal, u.cursor FROM (SELECT * FROM unnest(p_ordinal, p_cursor) AS u(ordinal, cursor) ORDER BY u.ordinal) u
    CROSS JOIN LATERAL (SELECT * FROM session x WHERE x.ordinal = u.ordinal AND x.node = p_node FOR UPDATE) s)
  UPDATE session s SET cursor = greatest(s.cursor, h.cursor),
    beyond = beyond_of(s.ordinal, s.beyond, greatest(s.cursor, h.cursor), p_beyond_of, p_beyond)
  FROM held h WHERE s.ordinal = h.ordinal;
END
$$;

-- Which task each of some positions is, or refers to, and the device of a unicast.
CREATE OR REPLACE FUNCTION locate_1(p_seq bigint[], OUT seq bigint, OUT task bigint, OUT unicast_to bigint)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT l.seq, coalesce(l.ref, l.seq),
    CASE WHEN coalesce(t.target, l.target) >> 56 = 1 THEN coalesce(t.target, l.target) & 72057594037927935 END
  FROM log l LEFT JOIN LATERAL (SELECT * FROM log r WHERE r.seq = l.ref OFFSET 0) t ON true WHERE l.seq = ANY (p_seq) AND l.kind <= 2;
END
$$;

-- What a node has written of some bitmaps.
CREATE OR REPLACE FUNCTION own_bits_1(p_node integer, p_seq bigint[], p_mark integer[], p_chunk integer[], OUT n integer, OUT bits bytea)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT u.n::integer, r.bits FROM unnest(p_seq, p_mark, p_chunk) WITH ORDINALITY AS u(seq, mark, chunk, n)
  CROSS JOIN LATERAL (
    SELECT x.bits FROM receipt x WHERE x.seq = u.seq AND x.mark = u.mark AND x.chunk = u.chunk AND x.node = p_node OFFSET 0) r;
END
$$;
