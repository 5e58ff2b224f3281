-- Folding: each node writes what it was told into rows of its own, and a task is told by many of them. When nothing of a task is on its way
-- any more, they become one row of nobody's (node 0). What a node is told even later is a row of its own again.

-- Rows of tasks that are over, where one bitmap has several, from where it was looked last: some thousand rows are looked at, and some
-- hundred returned. `row_version` tells whether a row has changed since. The last row names up to where that was (`seq`), and no node; none
-- where there is nothing to look at. Where nothing was found it is gone on from there at once. A message lives for 7 days at most.
CREATE OR REPLACE FUNCTION foldable_1(p_now bigint, p_looked integer, p_most integer,
  OUT seq bigint, OUT mark integer, OUT chunk integer, OUT node integer, OUT row_version bigint, OUT bits bytea)
  RETURNS SETOF record LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  v_place bigint := (SELECT m.value FROM meta m WHERE m.key = 'folded');
  v_end bigint;
  v_found bigint[];
BEGIN
  PERFORM check_clock(p_now, 2000);
  v_end := first_position(p_now - 604800000 + 1);
  -- The rows of one task are never parted.
  v_end := least(v_end, greatest(v_place + 1, coalesce(
    (SELECT r.seq FROM receipt r WHERE r.seq >= v_place AND r.seq < v_end ORDER BY r.seq OFFSET p_looked LIMIT 1), v_end)));
  IF v_place IS NULL OR v_end <= v_place THEN
    RETURN;
  END IF;
  v_found := ARRAY(
    SELECT r.seq FROM receipt r
    WHERE r.seq >= v_place AND r.seq < v_end
      AND EXISTS (SELECT 1 FROM receipt o WHERE o.seq = r.seq AND o.mark = r.mark AND o.chunk = r.chunk AND o.node <> r.node)
    ORDER BY r.seq LIMIT p_most + 1);
  IF cardinality(v_found) > p_most THEN
    v_end := greatest(v_found[p_most + 1], v_found[1] + 1);
  END IF;
  IF cardinality(v_found) = 0 THEN
    UPDATE meta SET value = greatest(value, v_end) WHERE key = 'folded';
  ELSE
    -- Of a task that has even more the rest stays as it is.
    RETURN QUERY
    SELECT r.seq, r.mark::integer, r.chunk, r.node, r.xmin::text::bigint, r.bits FROM receipt r
    WHERE r.seq >= v_place AND r.seq < v_end
      AND EXISTS (SELECT 1 FROM receipt o WHERE o.seq = r.seq AND o.mark = r.mark AND o.chunk = r.chunk AND o.node <> r.node)
    ORDER BY r.seq, r.mark, r.chunk, r.node LIMIT 8 * p_most;
  END IF;
  seq := v_end;
  mark := NULL;
  chunk := NULL;
  node := NULL;
  row_version := NULL;
  bits := NULL;
  RETURN NEXT;
END
$$;

-- Puts one row in the place of several: `p_of` says of which of the new ones each of the former is a part. Where one of these has
-- changed, or has gone, all of them stay. It is gone on from `p_place`.
CREATE OR REPLACE FUNCTION fold_1(p_now bigint, p_place bigint, p_seq bigint[], p_mark integer[], p_chunk integer[], p_bits bytea[],
  p_of integer[], p_node integer[], p_row_version bigint[])
  RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM check_clock(p_now, 2000);
  -- As whoever writes facts does; and in their order, so that none of two waits for the other.
  PERFORM pg_advisory_xact_lock_shared(1886613553, 1);
  WITH part AS MATERIALIZED (
    SELECT u.part_of, p_seq[u.part_of] AS seq, p_mark[u.part_of]::smallint AS mark, p_chunk[u.part_of] AS chunk, u.node, u.row_version
    FROM unnest(p_of, p_node, p_row_version) AS u(part_of, node, row_version)
  ), held AS MATERIALIZED (
    SELECT p.part_of, p.node, r.place FROM (SELECT * FROM part ORDER BY seq, mark, chunk, node) p
    CROSS JOIN LATERAL (
      SELECT x.ctid AS place FROM receipt x
      WHERE x.seq = p.seq AND x.mark = p.mark AND x.chunk = p.chunk AND x.node = p.node AND x.xmin::text::bigint = p.row_version
      FOR UPDATE) r
  ), unchanged AS MATERIALIZED (
    SELECT p.part_of FROM part p GROUP BY p.part_of
    HAVING count(*) = (SELECT count(*) FROM held h WHERE h.part_of = p.part_of)
  ), gone AS (
    DELETE FROM receipt r USING held h
    WHERE h.part_of IN (SELECT u.part_of FROM unchanged u) AND h.node <> 0 AND r.ctid = h.place
  )
  INSERT INTO receipt AS r (seq, mark, chunk, node, bits)
  SELECT n.seq, n.mark, n.chunk, 0, n.bits
  FROM unnest(p_seq, p_mark, p_chunk, p_bits) WITH ORDINALITY AS n(seq, mark, chunk, bits, part_of)
  WHERE n.part_of IN (SELECT u.part_of FROM unchanged u)
  ON CONFLICT (seq, mark, chunk, node) DO UPDATE SET bits = excluded.bits;
  UPDATE meta SET value = greatest(value, p_place) WHERE key = 'folded';
END
$$;
