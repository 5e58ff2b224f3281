-- What devices acknowledged. Facts do not take the lane: a node writes rows of its own. They share a second lock, which what withdraws
-- takes alone: so no count that anybody has read falls back.

-- Writes what a node has counted: each bitmap as a whole, NULL for the device of a unicast.
CREATE OR REPLACE FUNCTION settle_1(p_node integer, p_seq bigint[], p_mark integer[], p_chunk integer[], p_bits bytea[])
  RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(1886613553, 1);
  INSERT INTO receipt AS r (seq, mark, chunk, node, bits)
  SELECT u.seq, u.mark, u.chunk, p_node, u.bits FROM unnest(p_seq, p_mark, p_chunk, p_bits) AS u(seq, mark, chunk, bits)
  ORDER BY u.seq, u.mark, u.chunk
  ON CONFLICT (seq, mark, chunk, node) DO UPDATE SET bits = excluded.bits WHERE r.bits IS DISTINCT FROM excluded.bits;
END
$$;

-- How far devices are that stay connected.
CREATE OR REPLACE FUNCTION move_cursors_1(p_node integer, p_ordinal bigint[], p_cursor bigint[], p_beyond_of bigint[], p_beyond bigint[])
  RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  WITH held AS MATERIALIZED (
    SELECT s.ordinal, u.cursor FROM (SELECT * FROM unnest(p_ordinal, p_cursor) AS u(ordinal, cursor) ORDER BY u.ordinal) u
    JOIN session s ON s.ordinal = u.ordinal AND s.node = p_node FOR UPDATE OF s)
  UPDATE session s SET cursor = greatest(s.cursor, h.cursor),
    beyond = (SELECT array_agg(b.position) FROM unnest(p_beyond_of, p_beyond) AS b(ordinal, position)
              WHERE b.ordinal = s.ordinal AND b.position > h.cursor)
  FROM held h WHERE s.ordinal = h.ordinal;
END
$$;

-- Which task each of some positions is, or refers to, and whether that is for one device.
CREATE OR REPLACE FUNCTION locate_1(p_seq bigint[], OUT seq bigint, OUT task bigint, OUT is_unicast boolean)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT l.seq, coalesce(l.ref, l.seq), coalesce(t.target, l.target) >> 56 = 1
  FROM log l LEFT JOIN log t ON t.seq = l.ref WHERE l.seq = ANY (p_seq) AND l.kind <= 2;
END
$$;

-- What a node has written of some bitmaps.
CREATE OR REPLACE FUNCTION own_bits_1(p_node integer, p_seq bigint[], p_mark integer[], p_chunk integer[], OUT n integer, OUT bits bytea)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT u.n::integer, r.bits FROM unnest(p_seq, p_mark, p_chunk) WITH ORDINALITY AS u(seq, mark, chunk, n)
  JOIN receipt r ON r.seq = u.seq AND r.mark = u.mark AND r.chunk = u.chunk AND r.node = p_node;
END
$$;
