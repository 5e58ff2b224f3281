-- Sums of an app's tasks with a tag, slice by slice.

-- Some of the tasks with what is counted of them, oldest first, those that were made in a stretch of the wall clock and after a position.
-- `p_now` is the time by which a task has expired. One row more than tasks tells in `place` after which position it
-- goes on; NULL where that was the last slice.
CREATE OR REPLACE FUNCTION totals_1(p_now bigint, p_app bytea, p_tag bytea, p_tag_hash bigint, p_from bigint, p_to bigint, p_after bigint,
  p_limit integer,
  OUT seq bigint, OUT kind integer, OUT target bigint, OUT targeted integer, OUT skipped integer, OUT status integer,
  OUT is_expired boolean,
  OUT marks integer[], OUT chunks integer[], OUT bits bytea[], OUT opened bigint, OUT applied bigint, OUT failed bigint, OUT place bigint)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  v_app integer := (SELECT a.app FROM app a WHERE a.appkey = p_app AND NOT a.removed);
  -- What has not come to the standby yet may still be lost with this server.
  v_end bigint := unconfirmed_from();
  v_found bigint[];
  v_shown bigint[];
  v_last bigint;
  v_count integer;
BEGIN
  SELECT array_agg(x.seq ORDER BY x.seq) FILTER (
      WHERE x.app = v_app AND x.tag = p_tag AND x.kind <= 1 AND x.made >= coalesce(p_from, 0) AND (p_to IS NULL OR x.made < p_to)),
    max(x.seq), count(*) INTO v_found, v_last, v_count
  FROM made_between(p_from, p_to) w CROSS JOIN LATERAL (
    SELECT l.seq, l.app, l.tag, l.kind, l.created + l.wall_offset AS made FROM log l
    WHERE l.tag_hash = p_tag_hash AND l.seq > p_after AND l.seq >= w.low AND l.seq < least(w.high, v_end) ORDER BY l.seq LIMIT p_limit) x;
  SELECT array_agg(s.seq ORDER BY s.seq) INTO v_shown FROM (
    SELECT u.seq, sum(z.size) OVER (ORDER BY u.seq) - z.size AS before
    FROM unnest(v_found) AS u(seq) CROSS JOIN LATERAL (SELECT task_size(u.seq) AS size OFFSET 0) z) s
  WHERE s.before < 8388608;
  RETURN QUERY
  SELECT l.seq, l.kind::integer, l.target, l.targeted, l.skipped, l.status::integer, coalesce(l.expires <= p_now, false), c.marks, c.chunks,
    c.bits, c.opened, c.applied, c.failed, NULL::bigint
  FROM task_counts(v_shown) c JOIN log l ON l.seq = c.seq;
  place := CASE
    WHEN cardinality(v_shown) < cardinality(v_found) THEN v_shown[cardinality(v_shown)]
    WHEN v_count = p_limit THEN v_last END;
  RETURN NEXT;
END
$$;
