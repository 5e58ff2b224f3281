-- What is forgotten: tasks some time after they ended, with all that belongs to them, and where devices and organisations were, as far as
-- no task that is left asks for it. By slices of some milliseconds that take no lane, by one node at a time. The newest row of the log stays
-- whatever its age: positions and store time go on from it.

-- Whether it is time to look for what is old: the node that is told so does it, and no other one until the time has come again.
CREATE OR REPLACE FUNCTION begin_sweep_1(p_now bigint, p_interval bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM check_clock(p_now, 2000);
  UPDATE meta SET value = p_now WHERE key = 'swept' AND value <= p_now - p_interval;
  RETURN FOUND;
END
$$;

-- Whether nobody asks for a row any more that was made before a time.
CREATE OR REPLACE FUNCTION is_due(p_seq bigint, p_kind smallint, p_target bigint, p_ref bigint, p_status smallint, p_ended_at bigint,
  p_expires bigint, p_time bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN CASE
    WHEN p_kind > 2 THEN true
    WHEN p_kind = 2 THEN
      -- A configuration may be current for years, and each device that joins it adds a reference.
      NOT EXISTS (SELECT 1 FROM log t WHERE t.seq = p_ref)
        OR p_target >> 56 = 1 AND NOT EXISTS (
          SELECT 1 FROM device d JOIN session s ON s.ordinal = d.ordinal
          WHERE d.ordinal = p_target & 72057594037927935 AND d.retired_seq = 9223372036854775807 AND s.cursor < p_seq)
    WHEN p_status <> 0 THEN p_ended_at <= p_time
    ELSE coalesce(p_expires <= p_time, false)
  END;
END
$$;

-- Looks at some of the rows after a position that are old enough, and removes those that are due. Returns the last one looked at, and NULL
-- where there are no more; the next sweep goes on from there. What belongs to a task goes first, its row last: what is too much for one slice goes with the next.
CREATE OR REPLACE FUNCTION forget_tasks_1(p_now bigint, p_lifetime bigint, p_after bigint, p_before bigint, p_limit integer)
  RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_rows bigint[];
  v_due bigint[];
  v_count bigint;
BEGIN
  v_rows := ARRAY(SELECT l.seq FROM log l WHERE l.seq > p_after AND l.seq < p_before ORDER BY l.seq LIMIT p_limit);
  UPDATE meta SET value = coalesce(v_rows[cardinality(v_rows)], 0) WHERE key = 'sweep_place';
  IF cardinality(v_rows) = 0 THEN
    RETURN NULL;
  END IF;
  v_due := ARRAY(
    SELECT l.seq FROM log l
    WHERE l.seq = ANY (v_rows) AND is_due(l.seq, l.kind, l.target, l.ref, l.status, l.ended_at, l.expires, p_now - p_lifetime));
  IF cardinality(v_due) > 0 THEN
    DELETE FROM event e WHERE e.ctid = ANY (ARRAY(SELECT x.ctid FROM event x WHERE x.seq = ANY (v_due) LIMIT 2000));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    IF v_count = 2000 THEN
      RETURN p_after;
    END IF;
    DELETE FROM receipt r WHERE r.ctid = ANY (ARRAY(SELECT x.ctid FROM receipt x WHERE x.seq = ANY (v_due) LIMIT 1000));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    IF v_count = 1000 THEN
      RETURN p_after;
    END IF;
    DELETE FROM mark m WHERE m.ctid = ANY (ARRAY(SELECT x.ctid FROM mark x WHERE x.seq = ANY (v_due) LIMIT 1000));
    GET DIAGNOSTICS v_count = ROW_COUNT;
    IF v_count = 1000 THEN
      RETURN p_after;
    END IF;
    DELETE FROM current_config WHERE seq = ANY (v_due);
    DELETE FROM log WHERE seq = ANY (v_due);
  END IF;
  RETURN v_rows[cardinality(v_rows)];
END
$$;

-- After which row a sweep begins to look, and before which one it ends; and from where on an out_biz_no is known.
CREATE OR REPLACE FUNCTION sweep_range_1(p_now bigint, p_lifetime bigint, OUT place bigint, OUT before bigint) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM check_clock(p_now, 2000);
  UPDATE meta SET value = greatest(value, first_position(p_now - 86400000 + 1)) WHERE key = 'biz_from';
  before := least(first_position(p_now - p_lifetime + 1), head());
  place := (SELECT value FROM meta WHERE key = 'sweep_place');
END
$$;

-- Removes some intervals that ended after a position and before another one, and inside of which no row is left that may ask for them.
-- `p_past`: 0 where devices were, 1 when they were test devices, 2 where organisations were, 3 who had devices. Returns the end of the last
-- one looked at; NULL where there are no more.
CREATE OR REPLACE FUNCTION forget_past_1(p_now bigint, p_past integer, p_after bigint, p_before bigint, p_limit integer) RETURNS bigint
  LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_last bigint;
  v_gone bigint[];
  v_count bigint;
BEGIN
  CASE p_past
    WHEN 0 THEN
      WITH found AS MATERIALIZED (
        SELECT p.ctid AS place, p.from_seq, p.to_seq FROM past_org p WHERE p.to_seq > p_after AND p.to_seq < p_before ORDER BY p.to_seq LIMIT p_limit
      ), gone AS (
        DELETE FROM past_org p USING found f WHERE p.ctid = f.place AND NOT holds_task(f.from_seq, f.to_seq)
      )
      SELECT max(to_seq), count(*) INTO v_last, v_count FROM found;
    WHEN 1 THEN
      WITH found AS MATERIALIZED (
        SELECT p.ctid AS place, p.from_seq, p.to_seq FROM past_test p WHERE p.to_seq > p_after AND p.to_seq < p_before ORDER BY p.to_seq LIMIT p_limit
      ), gone AS (
        DELETE FROM past_test p USING found f WHERE p.ctid = f.place AND NOT holds_task(f.from_seq, f.to_seq)
      )
      SELECT max(to_seq), count(*) INTO v_last, v_count FROM found;
    WHEN 2 THEN
      WITH found AS MATERIALIZED (
        SELECT p.ctid AS place, p.from_seq, p.to_seq FROM org_parent p WHERE p.to_seq > p_after AND p.to_seq < p_before ORDER BY p.to_seq LIMIT p_limit
      ), gone AS (
        DELETE FROM org_parent p USING found f WHERE p.ctid = f.place AND NOT holds_task(f.from_seq, f.to_seq)
      )
      SELECT max(to_seq), count(*) INTO v_last, v_count FROM found;
      -- One at each position of its life: when the last goes, no row is left that may name it. Its number is given to no other one.
      DELETE FROM org o WHERE o.removed AND o.org < (SELECT max(org) FROM org) AND NOT EXISTS (SELECT 1 FROM org_parent p WHERE p.org = o.org);
    ELSE
      SELECT max(f.retired_seq), count(*), array_agg(f.ordinal) FILTER (WHERE NOT holds_task(f.created_seq, f.retired_seq))
        INTO v_last, v_count, v_gone
        FROM (
          SELECT d.ordinal, d.created_seq, d.retired_seq FROM device d WHERE d.retired_seq > p_after AND d.retired_seq < p_before
          ORDER BY d.retired_seq LIMIT p_limit) f;
      IF v_gone IS NOT NULL THEN
        -- Somebody may be about to give one of these users a device: that is judged again where the user is gone (change_directory_1).
        PERFORM take_lane(p_now);
        DELETE FROM past_org WHERE ordinal = ANY (v_gone);
        DELETE FROM past_test WHERE ordinal = ANY (v_gone);
        DELETE FROM session WHERE ordinal = ANY (v_gone);
        -- With its user, if it was the last device that had it.
        WITH gone AS (DELETE FROM device WHERE ordinal = ANY (v_gone) RETURNING holder)
        DELETE FROM holder h WHERE h.holder = ANY (ARRAY(SELECT g.holder FROM gone g))
          AND NOT EXISTS (SELECT 1 FROM device d WHERE d.holder = h.holder AND d.ordinal <> ALL (v_gone));
      END IF;
  END CASE;
  RETURN CASE WHEN v_count >= p_limit THEN v_last END;
END
$$;

-- Whether a task or a reference is left between two positions.
CREATE OR REPLACE FUNCTION holds_task(p_from bigint, p_to bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM log WHERE seq > p_from AND seq < p_to AND kind <= 2);
END
$$;

-- Removes some nonces of requests that are too old to be taken, and processes that ended long ago. Of which times nonces were forgotten
-- is kept: should the wall clock go back to one of them, its requests are refused by their age.
-- Returns whether there may be more.
CREATE OR REPLACE FUNCTION forget_others_1(p_now bigint, p_limit integer) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_until bigint := (wall() - 3600000) / 600000 * 600000;
  v_first bigint;
  v_last bigint;
  v_count bigint;
BEGIN
  -- Whoever uses a nonce has the lane, and whoever changes all nodes' rows took it before them.
  PERFORM take_lane(p_now);
  PERFORM 1 FROM node WHERE lease < p_now - 604800000 AND started < p_now - 604800000 ORDER BY node FOR UPDATE;
  DELETE FROM node WHERE lease < p_now - 604800000 AND started < p_now - 604800000;
  SELECT min(time), max(time) INTO v_first, v_last FROM nonce WHERE time < v_until;
  IF v_first IS NULL THEN
    RETURN false;
  END IF;
  v_first := v_first / 600000 * 600000;
  v_last := v_last / 600000 * 600000 + 599999;
  UPDATE nonce_forgotten SET last = greatest(last, v_last) WHERE first = (SELECT min(first) FROM nonce_forgotten) AND first <= v_first;
  IF NOT FOUND THEN
    INSERT INTO nonce_forgotten (first, last) VALUES (v_first, v_last)
      ON CONFLICT (first) DO UPDATE SET last = greatest(nonce_forgotten.last, excluded.last);
  END IF;
  DELETE FROM nonce n WHERE n.ctid = ANY (ARRAY(SELECT x.ctid FROM nonce x WHERE x.time < v_until ORDER BY x.time LIMIT p_limit));
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count >= p_limit;
END
$$;
