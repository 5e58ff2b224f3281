-- What became of tasks.

-- What is counted of some tasks: the one place where it is read. Bitmaps of one mark may overlap: a device tells two nodes the same where
-- it did not hear that the first has heard it.
CREATE OR REPLACE FUNCTION task_counts(p_seq bigint[],
  OUT seq bigint, OUT marks integer[], OUT chunks integer[], OUT bits bytea[], OUT opened bigint, OUT applied bigint, OUT failed bigint)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT u.seq, r.marks, r.chunks, r.bits, e.opened, e.applied, e.failed
  FROM unnest(p_seq) AS u(seq)
  CROSS JOIN LATERAL (
    SELECT array_agg(x.mark::integer) AS marks, array_agg(x.chunk) AS chunks, array_agg(x.bits) AS bits FROM (
      SELECT r.mark, r.chunk, r.bits FROM receipt r WHERE r.seq = u.seq
      UNION ALL SELECT m.mark, m.chunk, m.bits FROM mark m WHERE m.seq = u.seq) x) r
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE v.event = 1) AS opened, count(*) FILTER (WHERE v.event = 2) AS applied,
      count(*) FILTER (WHERE v.event = 3) AS failed FROM event v WHERE v.seq = u.seq) e;
END
$$;

-- How many bytes that is, and the task's own: an answer has a bound.
CREATE OR REPLACE FUNCTION task_size(p_seq bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN 2048 + (SELECT coalesce(sum(octet_length(r.bits)), 0) FROM receipt r WHERE r.seq = p_seq)
    + (SELECT coalesce(sum(octet_length(m.bits)), 0) FROM mark m WHERE m.seq = p_seq);
END
$$;

-- Where a device was at a position; NULL where it was not registered.
CREATE OR REPLACE FUNCTION org_at(p_ordinal bigint, p_seq bigint) RETURNS integer LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT CASE WHEN d.org_since < p_seq THEN CASE WHEN p_seq < d.retired_seq THEN d.org END
      ELSE (SELECT p.org FROM past_org p WHERE p.ordinal = p_ordinal AND p.from_seq < p_seq AND p.to_seq > p_seq) END
    FROM device d WHERE d.ordinal = p_ordinal);
END
$$;

-- Whether whom a task addressed is inside of a scope: an organisation itself; a device's organisation, and those of all devices that a
-- user had, when the task was accepted. Of a user with very many nobody says so.
CREATE OR REPLACE FUNCTION is_inside(p_target bigint, p_seq bigint, p_scope integer) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_id bigint := p_target & 72057594037927935;
BEGIN
  CASE p_target >> 56
    WHEN 3 THEN RETURN EXISTS (SELECT 1 FROM org o WHERE o.org = v_id AND NOT o.removed AND p_scope = ANY (o.path));
    WHEN 1 THEN
      RETURN EXISTS (SELECT 1 FROM org o WHERE o.org = org_at(v_id, p_seq) AND NOT o.removed AND p_scope = ANY (o.path));
    WHEN 2 THEN
      RETURN (
        SELECT count(*) <= 1000 AND coalesce(bool_and(NOT o.removed AND p_scope = ANY (o.path)) FILTER (
          WHERE d.holder_since < p_seq AND p_seq < d.retired_seq), false)
        FROM (SELECT * FROM device d WHERE d.holder = v_id ORDER BY d.ordinal LIMIT 1001) d
        LEFT JOIN org o ON o.org = org_at(d.ordinal, p_seq));
    ELSE RETURN false;
  END CASE;
END
$$;

-- Whether a task is inside of a scope.
CREATE OR REPLACE FUNCTION inside_1(p_seq bigint, p_scope bytea) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN coalesce((SELECT is_inside(l.target, l.seq, org_number(p_scope)) FROM log l WHERE l.seq = p_seq), false);
END
$$;

-- Some tasks' rows with everything that is counted of them, newest first; none where there is no such task, it is not the app's, or
-- not inside of the scope.
CREATE OR REPLACE FUNCTION tasks_1(p_now bigint, p_seq bigint[], p_app bytea, p_scope bytea,
  OUT seq bigint, OUT kind integer, OUT target bigint, OUT app integer, OUT flags integer, OUT within integer, OUT created bigint,
  OUT expires bigint, OUT wall_offset bigint, OUT payload bytea, OUT body_start integer, OUT body_end integer, OUT display integer,
  OUT tag bytea, OUT description bytea, OUT version bigint, OUT targeted integer, OUT skipped integer, OUT status integer,
  OUT ended_at bigint, OUT client bytea, OUT request_id bytea, OUT appkey bytea, OUT target_name bytea,
  OUT marks integer[], OUT chunks integer[], OUT bits bytea[], OUT opened bigint, OUT applied bigint, OUT failed bigint, OUT now bigint,
  OUT operator bytea)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  v_scope integer := org_number(p_scope);
BEGIN
  RETURN QUERY
  SELECT l.seq, l.kind::integer, l.target, l.app, l.flags::integer, l.within, l.created, l.expires, l.wall_offset, l.payload, l.body_start,
    l.body_end, l.display::integer, l.tag, l.description, l.version, l.targeted, l.skipped, l.status::integer, l.ended_at, l.client,
    l.request_id, a.appkey,
    CASE l.target >> 56
      WHEN 1 THEN (SELECT d.token FROM device d WHERE d.ordinal = l.target & 72057594037927935)
      WHEN 2 THEN (SELECT h.user_id FROM holder h WHERE h.holder = l.target & 72057594037927935)
      ELSE (SELECT o.org_id FROM org o WHERE o.org = l.target & 72057594037927935) END,
    c.marks, c.chunks, c.bits, c.opened, c.applied, c.failed, p_now, l.operator
  FROM task_counts(p_seq) c
  JOIN log l ON l.seq = c.seq
  JOIN app a ON a.app = l.app
  WHERE l.kind <= 1 AND (p_app IS NULL OR a.appkey = p_app AND NOT a.removed)
    AND (p_scope IS NULL OR is_inside(l.target, l.seq, v_scope))
  ORDER BY l.seq DESC;
END
$$;

-- The first position whose row was made at a time of the store or later; the one after the last where there is none. Store time never
-- falls, so that it is found by halving.
CREATE OR REPLACE FUNCTION first_position(p_created bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_low bigint := coalesce((SELECT l.seq FROM log l ORDER BY l.seq LIMIT 1), 0);
  v_high bigint := coalesce((SELECT l.seq FROM log l ORDER BY l.seq DESC LIMIT 1), -1) + 1;
  v_row record;
BEGIN
  WHILE v_low < v_high LOOP
    SELECT l.seq, l.created INTO v_row FROM log l WHERE l.seq >= v_low + (v_high - v_low) / 2 ORDER BY l.seq LIMIT 1;
    IF v_row.created < p_created THEN
      v_low := v_row.seq + 1;
    ELSE
      v_high := v_low + (v_high - v_low) / 2;
    END IF;
  END LOOP;
  -- Positions have jumped where there is none.
  RETURN coalesce((SELECT l.seq FROM log l WHERE l.seq >= v_low ORDER BY l.seq LIMIT 1), v_low);
END
$$;

-- All positions of rows that may have been made in a stretch of the wall clock: `low` <= seq < `high`. Where the clock was stepped there
-- are others among them.
CREATE OR REPLACE FUNCTION made_between(p_from bigint, p_to bigint, OUT low bigint, OUT high bigint) LANGUAGE plpgsql STABLE AS $$
DECLARE
  -- Times that callers write may lie anywhere.
  most CONSTANT bigint := 4611686018427387904;
  -- What check_clock lets pass.
  slack CONSTANT bigint := 10000;
BEGIN
  low := 0;
  high := 9223372036854775807;
  IF p_from > 0 THEN
    low := first_position(least(p_from, most) + (SELECT lowest FROM clock) - slack);
  END IF;
  IF p_to < most THEN
    high := first_position(greatest(p_to, 0) + (SELECT highest FROM clock) + slack);
  END IF;
END
$$;

-- Tasks before a position, newest first: of a caller's app, of every app that had a key, to an organisation itself, with a tag, with an
-- out_biz_no, made in a stretch of the wall clock, and inside of a scope. The hashes are of these with the app's key, and NULL without it.
-- One row more than tasks tells in `place` before which position the list goes on; NULL where it has ended.
CREATE OR REPLACE FUNCTION list_tasks_1(p_now bigint, p_caller bytea, p_app bytea, p_org bytea, p_scope bytea, p_tag bytea,
  p_tag_hash bigint, p_biz bytea, p_biz_hash bigint, p_from bigint, p_to bigint, p_before bigint, p_limit integer,
  OUT seq bigint, OUT kind integer, OUT target bigint, OUT app integer, OUT flags integer, OUT within integer, OUT created bigint,
  OUT expires bigint, OUT wall_offset bigint, OUT payload bytea, OUT body_start integer, OUT body_end integer, OUT display integer,
  OUT tag bytea, OUT description bytea, OUT version bigint, OUT targeted integer, OUT skipped integer, OUT status integer,
  OUT ended_at bigint, OUT client bytea, OUT request_id bytea, OUT appkey bytea, OUT target_name bytea,
  OUT marks integer[], OUT chunks integer[], OUT bits bytea[], OUT opened bigint, OUT applied bigint, OUT failed bigint, OUT now bigint,
  OUT operator bytea, OUT place bigint)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  v_apps integer[];
  v_targets bigint[];
  v_scope integer := org_number(p_scope);
  v_path integer := CASE WHEN p_biz_hash IS NOT NULL THEN 1 WHEN p_tag_hash IS NOT NULL THEN 2 WHEN p_org IS NOT NULL THEN 3 ELSE 0 END;
  -- How many rows are looked at. Inside of a scope each costs more; among all there are only a few that are no tasks.
  v_scan integer := CASE
    WHEN p_scope IS NOT NULL THEN 500
    WHEN p_caller IS NULL AND p_app IS NULL AND p_org IS NULL AND p_tag IS NULL AND p_biz IS NULL THEN 4 * p_limit + 100
    ELSE 5000 END;
  v_found bigint[];
  v_shown bigint[];
  v_last bigint;
  v_count integer;
BEGIN
  -- What has not come to the standby yet may still be lost with this server.
  p_before := least(p_before, unconfirmed_from());
  IF p_caller IS NOT NULL THEN
    v_apps := ARRAY(SELECT a.app FROM app a WHERE a.appkey = p_caller AND NOT a.removed);
  ELSIF p_app IS NOT NULL THEN
    v_apps := ARRAY(SELECT a.app FROM app a WHERE a.appkey = p_app);
  END IF;
  IF p_org IS NOT NULL THEN
    v_targets := ARRAY(SELECT 3::bigint << 56 | o.org FROM org o WHERE o.org_id = p_org);
  END IF;
  WITH looked AS MATERIALIZED (
    SELECT l.* FROM made_between(p_from, p_to) w CROSS JOIN LATERAL (
      (SELECT l.seq, l.kind, l.app, l.target, l.tag, l.biz, l.created + l.wall_offset AS made FROM log l
       WHERE v_path = 0 AND l.seq >= w.low AND l.seq < least(w.high, p_before) ORDER BY l.seq DESC LIMIT v_scan)
      UNION ALL
      (SELECT l.seq, l.kind, l.app, l.target, l.tag, l.biz, l.created + l.wall_offset FROM log l
       WHERE v_path = 1 AND l.biz_hash = p_biz_hash AND l.seq >= w.low AND l.seq < least(w.high, p_before)
       ORDER BY l.seq DESC LIMIT v_scan)
      UNION ALL
      (SELECT l.seq, l.kind, l.app, l.target, l.tag, l.biz, l.created + l.wall_offset FROM log l
       WHERE v_path = 2 AND l.tag_hash = p_tag_hash AND l.seq >= w.low AND l.seq < least(w.high, p_before)
       ORDER BY l.seq DESC LIMIT v_scan)
      UNION ALL
      (SELECT o.* FROM unnest(v_targets) t(target) CROSS JOIN LATERAL (
         SELECT l.seq, l.kind, l.app, l.target, l.tag, l.biz, l.created + l.wall_offset FROM log l
         WHERE v_path = 3 AND l.target = t.target AND l.kind <= 2 AND l.seq >= w.low AND l.seq < least(w.high, p_before)
         ORDER BY l.seq DESC LIMIT v_scan) o
       ORDER BY o.seq DESC LIMIT v_scan)) l
  )
  SELECT array_agg(l.seq ORDER BY l.seq DESC) FILTER (
      WHERE l.kind <= 1 AND (v_apps IS NULL OR l.app = ANY (v_apps)) AND (v_targets IS NULL OR l.target = ANY (v_targets))
        AND (p_tag IS NULL OR l.tag = p_tag) AND (p_biz IS NULL OR l.biz = p_biz)
        AND (p_from IS NULL OR l.made >= p_from) AND (p_to IS NULL OR l.made < p_to)
        AND (p_scope IS NULL OR is_inside(l.target, l.seq, v_scope))),
    min(l.seq), count(*) INTO v_found, v_last, v_count FROM looked l;
  IF v_count < v_scan THEN
    v_last := NULL;
  END IF;
  -- Bitmaps may be large: a page has an end there too.
  SELECT array_agg(s.seq ORDER BY s.seq DESC) INTO v_shown FROM (
    SELECT u.seq, sum(z.size) OVER (ORDER BY u.seq DESC) - z.size AS before
    FROM unnest(v_found[1:p_limit]) AS u(seq) CROSS JOIN LATERAL (SELECT task_size(u.seq) AS size OFFSET 0) z) s
  WHERE s.before < 8388608;
  RETURN QUERY SELECT t.*, NULL::bigint FROM tasks_1(p_now, v_shown, NULL, NULL) t;
  place := CASE WHEN cardinality(v_shown) < cardinality(v_found) THEN v_shown[cardinality(v_shown)] ELSE v_last END;
  RETURN NEXT;
END
$$;

-- Devices that may have been addressed by a task, in the columns of histories_1 with what changed after it: those that were ever in the
-- target, organisation by organisation in the order of their numbers, from a device of an organisation on. `listed` is the organisation,
-- and 0 where the target is none. The last row has no device: where the list goes on, and nothing where all were looked at.
CREATE OR REPLACE FUNCTION recipients_1(p_target bigint, p_seq bigint, p_org integer, p_after bigint, p_limit integer,
  OUT ordinal bigint, OUT token bytea, OUT platform integer, OUT created_seq bigint, OUT retired_seq bigint, OUT org integer,
  OUT org_since bigint, OUT holder bigint, OUT holder_since bigint, OUT test boolean, OUT test_since bigint,
  OUT past_org integer[], OUT past_org_from bigint[], OUT past_org_to bigint[], OUT past_test_from bigint[], OUT past_test_to bigint[],
  OUT listed integer, OUT after bigint)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  v_id bigint := p_target & 72057594037927935;
  -- How many organisations one page looks at: most of them may be empty.
  v_most CONSTANT integer := 1000;
  v_orgs integer[] := '{0}';
  v_org integer;
  v_left integer := p_limit;
  v_found bigint[];
BEGIN
  IF p_target >> 56 = 3 THEN
    WITH RECURSIVE subtree AS (
      SELECT v_id::integer AS org
      UNION
      SELECT p.org FROM subtree s JOIN org_parent p ON p.parent = s.org AND p.from_seq < p_seq AND p.to_seq > p_seq
    )
    SELECT array_agg(x.org ORDER BY x.org) INTO v_orgs
    FROM (SELECT s.org FROM subtree s WHERE s.org >= p_org ORDER BY s.org LIMIT v_most + 1) x;
  END IF;
  FOR v_number IN 1 .. coalesce(cardinality(v_orgs), 0) LOOP
    v_org := v_orgs[v_number];
    IF v_number > v_most OR v_left = 0 THEN
      listed := v_org;
      RETURN NEXT;
      RETURN;
    END IF;
    v_found := ever_in(p_target, v_org, CASE WHEN v_org = p_org THEN coalesce(p_after, -1) ELSE -1 END, v_left);
    RETURN QUERY SELECT h.*, v_org, NULL::bigint
      FROM histories_1(v_found, array_fill(p_seq, ARRAY[cardinality(v_found)])) h ORDER BY h.ordinal;
    v_left := v_left - cardinality(v_found);
    IF v_left = 0 THEN
      -- There may be more of this one.
      listed := v_org;
      after := v_found[cardinality(v_found)];
      RETURN NEXT;
      RETURN;
    END IF;
  END LOOP;
  RETURN NEXT;
END
$$;

-- Ordinals after one of devices that were ever in a target; of an organisation's subtree one organisation is meant. Both those that still
-- are there and those that left, in one order: so one that moves while a list is paged through is neither missed nor listed twice.
CREATE OR REPLACE FUNCTION ever_in(p_target bigint, p_org integer, p_after bigint, p_limit integer) RETURNS bigint[]
  LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_id bigint := p_target & 72057594037927935;
BEGIN
  CASE p_target >> 56
    WHEN 1 THEN RETURN CASE WHEN v_id > p_after THEN ARRAY[v_id] ELSE '{}' END;
    WHEN 2 THEN
      RETURN ARRAY(SELECT d.ordinal FROM device d WHERE d.holder = v_id AND d.ordinal > p_after ORDER BY d.ordinal LIMIT p_limit);
    ELSE
      RETURN ARRAY(SELECT x.ordinal FROM (
          (SELECT d.ordinal FROM device d WHERE d.org = p_org AND d.ordinal > p_after ORDER BY d.ordinal LIMIT p_limit)
          UNION
          (SELECT DISTINCT p.ordinal FROM past_org p WHERE p.org = p_org AND p.ordinal > p_after ORDER BY p.ordinal LIMIT p_limit)) x
        ORDER BY x.ordinal LIMIT p_limit);
  END CASE;
END
$$;

-- Who told something of a task, in the order of their ordinals, as far as they are inside of a scope now: `event` of the table, with the
-- number of the next after the last.
CREATE OR REPLACE FUNCTION events_1(p_seq bigint, p_event integer, p_scope bytea, p_after bigint, p_limit integer,
  OUT ordinal bigint, OUT token bytea, OUT detail bytea, OUT is_former boolean, OUT is_inside boolean)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  v_scope integer := org_number(p_scope);
BEGIN
  RETURN QUERY
  SELECT v.ordinal, d.token, v.detail, d.retired_seq < 9223372036854775807,
    p_scope IS NULL OR NOT o.removed AND coalesce(v_scope = ANY (o.path), false)
  FROM event v JOIN device d ON d.ordinal = v.ordinal JOIN org o ON o.org = d.org
  WHERE v.seq = p_seq AND v.event = p_event AND v.ordinal > p_after ORDER BY v.ordinal LIMIT p_limit;
END
$$;

-- Recalls a task, unless it has ended. Returns the position of its end, which all nodes that live have to apply; NULL where it had ended.
-- `p_expected`: of which version the directory is by which an operator may do so; -1 is returned where it has changed.
CREATE OR REPLACE FUNCTION cancel_1(p_now bigint, p_seq bigint, p_expected bigint, p_audit bytea[]) RETURNS bigint
  LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_now bigint;
  v_head bigint;
BEGIN
  PERFORM take_lane(p_now);
  IF p_expected <> (SELECT value FROM meta WHERE key = 'directory_version') THEN
    RETURN -1;
  END IF;
  v_now := store_time(p_now);
  v_head := head();
  UPDATE log SET status = 1, ended_at = v_now WHERE seq = p_seq AND kind <= 1 AND status = 0 AND (expires IS NULL OR expires > v_now);
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  PERFORM ring_bell(v_now - last_made());
  INSERT INTO log (seq, target, created, kind, ref) VALUES (v_head + 1, 0, v_now, 3, p_seq);
  DELETE FROM current_config WHERE seq = p_seq;
  PERFORM write_audit(p_audit, NULL, NULL, v_now);
  RETURN v_head + 1;
END
$$;

-- The same by an app, whose signed request has a nonce: that is used up, also where there is no such task (`p_seq` is NULL then). `code`: 0;
-- 2005 where it was used before; 2006 where nobody knows any more, with the wall clock.
CREATE OR REPLACE FUNCTION cancel_signed_1(p_now bigint, p_seq bigint, p_app bytea, p_time bigint, p_hash bigint,
  OUT code integer, OUT "position" bigint, OUT wall bigint)
  LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_replayed integer[];
BEGIN
  PERFORM take_lane(p_now);
  wall := wall();
  v_replayed := use_nonces(ARRAY[p_app], ARRAY[NULL::integer], ARRAY[p_time], ARRAY[p_hash]);
  code := CASE v_replayed[1] WHEN 1 THEN 2005 WHEN -1 THEN 2006 ELSE 0 END;
  IF code = 0 AND p_seq IS NOT NULL THEN
    "position" := cancel_1(p_now, p_seq, NULL, NULL);
  END IF;
  -- Where it was used is at the standby when this is answered, as if it had been written by this.
  IF code <> 0 THEN
    PERFORM await_standby();
  END IF;
END
$$;

-- How far the slowest of the nodes that live has followed the log, NULL where none lives; and where the log ends.
CREATE OR REPLACE FUNCTION applied_2(p_now bigint, OUT slowest bigint, OUT head bigint) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM check_clock(p_now, 2000);
  slowest := (SELECT min(n.applied) FROM node n WHERE n.lease > p_now);
  head := head();
END
$$;

-- A node's loops have followed the log so far.
CREATE OR REPLACE FUNCTION apply_1(p_node integer, p_applied bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  UPDATE node SET applied = p_applied WHERE node = p_node AND applied < p_applied;
END
$$;
