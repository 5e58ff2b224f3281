-- What became of tasks.

-- A task's row with everything that is counted of it, from one moment; no row where there is no such task, or it is not the app's.
-- Bitmaps of one mark may overlap: a device tells two nodes the same where it did not hear that the first has heard it.
CREATE OR REPLACE FUNCTION task_1(p_now bigint, p_seq bigint, p_app bytea,
  OUT seq bigint, OUT kind integer, OUT target bigint, OUT app integer, OUT flags integer, OUT within integer, OUT created bigint,
  OUT expires bigint, OUT wall_offset bigint, OUT payload bytea, OUT body_start integer, OUT body_end integer, OUT display integer,
  OUT tag bytea, OUT description bytea, OUT version bigint, OUT targeted integer, OUT skipped integer, OUT status integer,
  OUT ended_at bigint, OUT client bytea, OUT request_id bytea, OUT appkey bytea, OUT target_name bytea,
  OUT marks integer[], OUT chunks integer[], OUT bits bytea[], OUT opened bigint, OUT applied bigint, OUT failed bigint, OUT now bigint)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT l.seq, l.kind::integer, l.target, l.app, l.flags::integer, l.within, l.created, l.expires, l.wall_offset, l.payload, l.body_start,
    l.body_end, l.display::integer, l.tag, l.description, l.version, l.targeted, l.skipped, l.status::integer, l.ended_at, l.client,
    l.request_id, a.appkey,
    CASE l.target >> 56
      WHEN 1 THEN (SELECT d.token FROM device d WHERE d.ordinal = l.target & 72057594037927935)
      WHEN 2 THEN (SELECT h.user_id FROM holder h WHERE h.holder = l.target & 72057594037927935)
      ELSE (SELECT o.org_id FROM org o WHERE o.org = l.target & 72057594037927935) END,
    r.marks, r.chunks, r.bits, e.opened, e.applied, e.failed, p_now
  FROM log l
  JOIN app a ON a.app = l.app
  CROSS JOIN LATERAL (
    SELECT array_agg(x.mark::integer) AS marks, array_agg(x.chunk) AS chunks, array_agg(x.bits) AS bits FROM (
      SELECT r.mark, r.chunk, r.bits FROM receipt r WHERE r.seq = l.seq
      UNION ALL SELECT m.mark, m.chunk, m.bits FROM mark m WHERE m.seq = l.seq) x) r
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE v.event = 1) AS opened, count(*) FILTER (WHERE v.event = 2) AS applied,
      count(*) FILTER (WHERE v.event = 3) AS failed FROM event v WHERE v.seq = l.seq) e
  WHERE l.seq = p_seq AND l.kind <= 1 AND (p_app IS NULL OR a.appkey = p_app);
END
$$;

-- Recalls a task, unless it has ended. Returns the position of its end, which all nodes that live have to apply; NULL where it had ended.
CREATE OR REPLACE FUNCTION cancel_1(p_now bigint, p_seq bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_now bigint;
  v_head bigint;
BEGIN
  PERFORM take_lane(p_now);
  v_now := store_time(p_now);
  v_head := head();
  UPDATE log SET status = 1, ended_at = v_now WHERE seq = p_seq AND kind <= 1 AND status = 0 AND (expires IS NULL OR expires > v_now);
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  PERFORM ring(v_now, last_made());
  INSERT INTO log (seq, target, created, kind, ref) VALUES (v_head + 1, 0, v_now, 3, p_seq);
  DELETE FROM current_config WHERE seq = p_seq;
  RETURN v_head + 1;
END
$$;

-- How far the slowest of the nodes that live has followed the log; NULL where none lives.
CREATE OR REPLACE FUNCTION applied_1(p_now bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM check_clock(p_now, 2000);
  RETURN (SELECT min(applied) FROM node WHERE lease > p_now);
END
$$;

-- A node's loops have followed the log so far.
CREATE OR REPLACE FUNCTION apply_1(p_node integer, p_applied bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  UPDATE node SET applied = p_applied WHERE node = p_node AND applied < p_applied;
END
$$;
