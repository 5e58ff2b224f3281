-- Takes pushes: every check that depends on the directory, the clock or earlier pushes, in the interface's order, then the rows.
-- One call is a batch; its arrays have an element a push. No two pushes of a batch have the same app and `out_biz_no`, the same
-- nonce, or the same configuration's slot: who gathers them sees to it.
--
-- `p_node`: whose pushes they are, which then waits for the standby itself (see append_2); NULL: the commit waits for it. `last` is the last
-- position that is to be there before it is answered, NULL where nothing has to be, and `rest` for how long nothing was written
-- before; 0 where nothing is stored, of which nobody has to be told.
--
-- An answer a push, in order. `code`: 0 stored, 1 repeated (`seq` is the first one), otherwise an error's, with what its text needs
-- in `a` and `b`: of 2006 the wall clock; of 2103 the wall clock and the latest time; of 2301 the bound (negative: of a day) and the time
-- to wait in milliseconds; of 2105 the platform.
CREATE OR REPLACE FUNCTION append_rows_1(
  p_now bigint, p_node integer, p_usual_per_second integer, p_usual_per_day integer,
  p_app bytea[], p_interface integer[], p_kind integer[], p_target bytea[], p_target_hash bigint[],
  p_payload bytea[], p_body_start integer[], p_body_end integer[], p_measured integer[], p_display integer[],
  p_test boolean[], p_description bytea[], p_tag bytea[], p_tag_hash bigint[], p_slot bigint[], p_wish bigint[],
  p_biz bytea[], p_biz_hash bigint[], p_fingerprint bytea[],
  p_nonce_time bigint[], p_nonce_hash bigint[], p_client bytea[], p_request_id bytea[],
  -- Of the one push of an operator on behalf of its app, otherwise NULL: the version of the directory by which the operator may do so (there
  -- is no answer where that has changed), the organisation to which it is confined, what is inside of that and of the app's scope, its
  -- name, and the entry of the audit log, which is written with the task alone.
  p_expected bigint, p_confined integer, p_bound integer, p_operator bytea, p_audit bytea[],
  OUT code integer[], OUT seq bigint[], OUT a bigint[], OUT b bigint[], OUT last bigint, OUT rest bigint)
  LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  v_wall bigint;
  -- What store time lacks of the wall clock. Not what the two differ by here: the call may have waited since the time that it brought.
  v_offset bigint;
  v_made bigint;
  v_now bigint;
  v_head bigint;
  v_kind integer;
  -- Whether the commit waits for nobody. It does where another primary was found, and where a configuration may replace an older one: that
  -- is seen in other rows than those that are hidden.
  v_is_async boolean;
  v_version bigint;
  v_replayed integer[];
  -- The first position that is young enough for an out_biz_no to be known.
  v_biz_from bigint;
  -- Of each push: the task that has its out_biz_no, and what that was asked for; the configuration that counts in its place.
  v_first bigint[];
  v_fingerprint bytea[];
  v_current bigint[];
  -- Of each push: its answer; its app, and what of that is inside; whether the app has a bound, how much of a second it had left, and how
  -- many of the batch had taken of that.
  v_code integer[];
  v_seq bigint[];
  v_a bigint[];
  v_b bigint[];
  v_app integer[];
  v_within integer[];
  v_is_bound boolean[];
  v_level bigint[];
  v_turn bigint[];
BEGIN
  PERFORM take_lane(p_now);
  SELECT max(m.value) FILTER (WHERE m.key = 'configuration_version'), max(m.value) FILTER (WHERE m.key = 'biz_from')
    INTO v_version, v_biz_from FROM meta m
    HAVING p_expected IS NULL OR p_expected = max(m.value) FILTER (WHERE m.key = 'directory_version');
  IF NOT FOUND THEN
    RETURN;
  END IF;
  v_wall := wall();
  v_offset := -(SELECT c.shift FROM clock c);
  SELECT l.seq, l.created, l.kind INTO v_head, v_made, v_kind FROM log l ORDER BY l.seq DESC LIMIT 1;
  v_head := coalesce(v_head, 0);
  v_now := greatest(p_now, v_made);
  v_is_async := p_node IS NOT NULL AND v_kind IS DISTINCT FROM 13 AND NOT 1 = ANY (p_interface);

  IF cardinality(p_nonce_hash) > 0 THEN
    v_replayed := use_nonces(p_app, p_interface, p_nonce_time, p_nonce_hash);
  END IF;

  -- What most batches need not is apart from what all do: a statement costs by what it may do, too.
  IF array_remove(p_biz_hash, NULL) <> '{}' THEN
    SELECT array_agg(f.seq), array_agg(f.fingerprint) INTO v_first, v_fingerprint
    FROM (
      SELECT f.seq, f.fingerprint FROM unnest(p_app, p_biz, p_biz_hash) WITH ORDINALITY AS r(appkey, biz, biz_hash, n)
      LEFT JOIN LATERAL (SELECT * FROM app x WHERE x.appkey = r.appkey AND NOT x.removed OFFSET 0) a ON true
      LEFT JOIN LATERAL (
        SELECT l.seq, l.fingerprint FROM log l
        -- By the hash alone: in the order of positions the whole log would be looked through.
        WHERE r.biz_hash IS NOT NULL AND l.biz_hash = r.biz_hash AND l.seq >= v_biz_from AND l.app = a.app AND l.biz = r.biz
          AND l.created > v_now - 86400000
        ORDER BY l.seq + 0 DESC LIMIT 1) f ON true
      ORDER BY r.n) f;
  END IF;
  IF 1 = ANY (p_interface) THEN
    SELECT array_agg(c.seq) INTO v_current
    FROM (
      SELECT k.seq FROM unnest(p_app, p_slot, p_kind, p_target, p_test, p_tag) WITH ORDINALITY AS r(appkey, slot, kind, target, test, tag, n)
      LEFT JOIN LATERAL (SELECT * FROM app x WHERE x.appkey = r.appkey AND NOT x.removed OFFSET 0) a ON true
      LEFT JOIN LATERAL (
        SELECT x.seq FROM current_config x
        CROSS JOIN LATERAL (SELECT y.status, y.expires FROM log y WHERE y.seq = x.seq OFFSET 0) l
        WHERE x.slot = r.slot AND x.target_kind = r.kind AND x.target = r.target AND x.app = a.app AND x.test = r.test
          AND x.tag = coalesce(r.tag, '') AND l.status = 0 AND (l.expires IS NULL OR l.expires > v_now) OFFSET 0) k ON true
      ORDER BY r.n) c;
  END IF;

  WITH request AS MATERIALIZED (
    SELECT r.n::integer, a.app, a.scope, r.kind, r.target, r.interface, r.test, r.measured, r.wish,
      CASE WHEN a.app IS NOT NULL THEN coalesce(a.per_second, p_usual_per_second) END AS per_second,
      CASE WHEN a.app IS NOT NULL THEN coalesce(a.per_day, p_usual_per_day) END AS per_day,
      v_first[r.n] AS first,
      CASE
        WHEN a.app IS NULL THEN 2004
        WHEN a.disabled THEN 2007
        WHEN a.interfaces & (1 << r.interface) = 0 THEN 2008
        WHEN r.n = ANY (v_replayed) THEN 2005
        WHEN -r.n = ANY (v_replayed) THEN 2006
        WHEN v_fingerprint[r.n] <> r.fingerprint THEN 2109
        WHEN v_first[r.n] IS NOT NULL THEN 1
        WHEN r.wish <= v_wall OR r.interface = 0 AND r.wish - v_wall > 604800000 THEN 2103
        ELSE 0
      END AS early
    FROM unnest(p_app, p_interface, p_kind, p_target, p_test, p_measured, p_wish, p_fingerprint)
      WITH ORDINALITY AS r(appkey, interface, kind, target, test, measured, wish, fingerprint, n)
    LEFT JOIN LATERAL (SELECT * FROM app x WHERE x.appkey = r.appkey AND NOT x.removed OFFSET 0) a ON true
  ), addressed AS MATERIALIZED (
    SELECT r.*, s.org AS scope_org, t.id, t.android, t.ios,
      r.early = 0 AND (r.per_second IS NOT NULL OR r.per_day IS NOT NULL) AS is_bound,
      CASE
        WHEN r.early <> 0 THEN r.early
        WHEN t.id IS NULL OR NOT t.permitted THEN 2200 + r.kind
        WHEN r.scope IS NOT NULL AND t.inside IS NOT TRUE THEN 2009
        WHEN r.test AND t.android + t.ios = 0 THEN 2205
        WHEN r.measured > 1024 OR r.measured > 256 AND t.ios > 0 AND t.android = 0 THEN 2105
        ELSE 0
      END AS late
    FROM request r
    LEFT JOIN LATERAL (SELECT o.org FROM org o WHERE r.scope IS NOT NULL AND o.org_id = r.scope AND o.removed IS NOT TRUE OFFSET 0) s ON true
    LEFT JOIN LATERAL (
      SELECT d.ordinal AS id,
        (d.platform = 0 AND (d.test OR NOT r.test))::integer AS android, (d.platform = 1 AND (d.test OR NOT r.test))::integer AS ios,
        r.scope IS NULL OR s.org = ANY (o.path) AS inside, p_confined IS NULL OR p_confined = ANY (o.path) AS permitted
      FROM device d CROSS JOIN LATERAL (SELECT x.path FROM org x WHERE x.org = d.org OFFSET 0) o
      WHERE r.kind = 1 AND d.token_hash = p_target_hash[r.n] AND d.token = r.target AND d.retired_seq = 9223372036854775807
      UNION ALL
      SELECT h.holder,
        count(*) FILTER (WHERE m.inside AND m.platform = 0 AND (m.test OR NOT r.test))::integer,
        count(*) FILTER (WHERE m.inside AND m.platform = 1 AND (m.test OR NOT r.test))::integer, bool_or(m.inside), bool_and(m.permitted)
      FROM holder h
      CROSS JOIN LATERAL (
        SELECT d.platform, d.test, r.scope IS NULL OR s.org = ANY (o.path) AS inside,
          p_confined IS NULL OR p_confined = ANY (o.path) AS permitted
        FROM device d CROSS JOIN LATERAL (SELECT x.path FROM org x WHERE x.org = d.org OFFSET 0) o
        WHERE d.holder = h.holder AND d.retired_seq = 9223372036854775807 OFFSET 0) m
      WHERE r.kind = 2 AND h.user_id = r.target GROUP BY h.holder
      UNION ALL
      SELECT o.org, CASE WHEN r.test THEN o.test_android ELSE o.android END, CASE WHEN r.test THEN o.test_ios ELSE o.ios END,
        r.scope IS NULL OR s.org = ANY (o.path), p_confined IS NULL OR p_confined = ANY (o.path)
      FROM org o WHERE r.kind = 3 AND o.org_id = r.target AND o.removed IS NOT TRUE) t ON r.early = 0
  ), paced AS (
    -- Who has a bound takes its turn in the batch's order.
    SELECT x.*, count(*) FILTER (WHERE x.is_within_day) OVER (PARTITION BY x.app ORDER BY x.n) AS turn
    FROM (
      SELECT g.*, least(g.per_second * 1000::bigint,
          coalesce(q.level + least(greatest(v_now - q.filled, 0), 1000) * g.per_second, g.per_second * 1000::bigint)) AS level,
        g.is_bound AND (g.per_day IS NULL
          OR g.upto - (g.late = 0)::integer + CASE WHEN q.day IN (v_wall / 86400000, v_wall / 86400000 + 1) THEN q.pushes ELSE 0 END
            < g.per_day) AS is_within_day
      FROM (
        SELECT f.*, count(*) FILTER (WHERE f.is_bound AND f.late = 0) OVER (PARTITION BY f.app ORDER BY f.n) AS upto
        FROM addressed f) g
      LEFT JOIN LATERAL (SELECT * FROM app_rate x WHERE g.is_bound AND x.app = g.app OFFSET 0) q ON true) x
  ), judged AS (
    SELECT p.*,
      CASE WHEN p.is_bound AND (NOT p.is_within_day OR p.turn > p.level / 1000) THEN 2301 ELSE p.late END AS code
    FROM paced p
  ), placed AS MATERIALIZED (
    -- An older configuration's end takes the position before the new one's.
    SELECT j.*,
      CASE WHEN j.code = 0 THEN v_head + count(*) FILTER (WHERE j.code = 0) OVER w
        + count(v_current[j.n]) FILTER (WHERE j.code = 0) OVER w END AS seq,
      count(*) FILTER (WHERE j.code = 0 AND j.interface = 1) OVER w AS nth
    FROM judged j
    WINDOW w AS (ORDER BY j.n)
  ), kept AS (
    INSERT INTO log (
      seq, target, created, expires, wall_offset, biz_hash, tag_hash, version, app, within, body_start, body_end, targeted,
      skipped, kind, flags, display, payload, tag, description, biz, fingerprint, client, request_id)
    SELECT p.seq, p.kind::bigint << 56 | p.id, v_now,
      CASE WHEN p.wish IS NOT NULL THEN p.wish - v_offset WHEN p.interface = 0 THEN v_now + 259200000 END,
      v_offset, p_biz_hash[p.n], p_tag_hash[p.n], CASE WHEN p.interface = 1 THEN v_version + p.nth END, p.app,
      CASE WHEN p.interface = 1 OR p.kind = 2 THEN coalesce(p_bound, p.scope_org) END, p_body_start[p.n], p_body_end[p.n], p.android + p.ios,
      CASE WHEN p.measured > 256 THEN p.ios ELSE 0 END, p.interface,
      p.test::integer | CASE WHEN p.measured > 256 THEN 2 ELSE 0 END, p_display[p.n], p_payload[p.n], p_tag[p.n],
      p_description[p.n], p_biz[p.n], p_fingerprint[p.n], p_client[p.n], p_request_id[p.n]
    FROM placed p WHERE p.code = 0
  )
  SELECT array_agg(p.code), array_agg(coalesce(p.seq, p.first)),
    array_agg(CASE p.code
      WHEN 2006 THEN v_wall
      WHEN 2103 THEN v_wall
      WHEN 2301 THEN CASE WHEN p.is_within_day THEN p.per_second ELSE -p.per_day END
      WHEN 2105 THEN CASE WHEN p.measured > 1024 THEN 0 ELSE 1 END
    END),
    array_agg(CASE p.code
      WHEN 2103 THEN CASE WHEN p.interface = 0 THEN v_wall + 604800000 END
      WHEN 2301 THEN CASE WHEN p.is_within_day THEN (999 - p.level % 1000) / p.per_second + 1 ELSE 86400000 - v_wall % 86400000 END
    END),
    array_agg(p.app), array_agg(coalesce(p_bound, p.scope_org)), array_agg(p.is_bound), array_agg(p.level), array_agg(p.turn)
  INTO v_code, v_seq, v_a, v_b, v_app, v_within, v_is_bound, v_level, v_turn
  FROM (SELECT * FROM placed ORDER BY n) p;

  IF 1 = ANY (p_interface) THEN
    UPDATE log SET status = 2, ended_at = v_now WHERE seq = ANY (ARRAY(
      SELECT u.older FROM unnest(v_code, v_current) AS u(code, older) WHERE u.code = 0 AND u.older IS NOT NULL));
    INSERT INTO log (seq, target, created, kind, ref)
      SELECT u.seq - 1, 0, v_now, 3, u.older FROM unnest(v_code, v_seq, v_current) AS u(code, seq, older)
      WHERE u.code = 0 AND u.older IS NOT NULL;
    DELETE FROM current_config WHERE ctid = ANY (ARRAY(
      SELECT k.ctid FROM unnest(v_code, p_slot, p_kind, p_target, v_app, p_test, p_tag) AS u(code, slot, kind, target, app, test, tag)
      CROSS JOIN LATERAL (
        SELECT x.ctid FROM current_config x
        WHERE x.slot = u.slot AND x.target_kind = u.kind AND x.target = u.target AND x.app = u.app AND x.test = u.test
          AND x.tag = coalesce(u.tag, '') OFFSET 0) k
      WHERE u.code = 0));
    INSERT INTO current_config (slot, seq, target, target_kind, app, tag, test, within)
      SELECT u.slot, u.seq, u.target, u.kind, u.app, coalesce(u.tag, ''), u.test, u.within
      FROM unnest(v_code, p_interface, p_slot, v_seq, p_target, p_kind, v_app, p_tag, p_test, v_within)
        AS u(code, interface, slot, seq, target, kind, app, tag, test, within)
      WHERE u.code = 0 AND u.interface = 1;
    UPDATE meta SET value = value + (
        SELECT count(*) FROM unnest(v_code, p_interface) AS u(code, interface) WHERE u.code = 0 AND u.interface = 1)
      WHERE key = 'configuration_version';
  END IF;
  IF true = ANY (v_is_bound) THEN
    INSERT INTO app_rate AS q (app, level, filled, day, pushes)
    SELECT u.app, coalesce(max(u.level) - 1000 * least(max(u.turn), max(u.level) / 1000), 0), v_now, v_wall / 86400000,
      count(*) FILTER (WHERE u.code = 0)
    FROM unnest(v_app, v_is_bound, v_level, v_turn, v_code) AS u(app, is_bound, level, turn, code) WHERE u.is_bound GROUP BY u.app
    ON CONFLICT (app) DO UPDATE SET
      level = excluded.level, filled = excluded.filled,
      day = CASE WHEN q.day = excluded.day + 1 THEN q.day ELSE excluded.day END,
      pushes = CASE WHEN q.day IN (excluded.day, excluded.day + 1) THEN q.pushes ELSE 0 END + excluded.pushes;
  END IF;
  IF p_expected IS NOT NULL AND v_code[1] = 0 THEN
    UPDATE log SET operator = p_operator WHERE seq = v_seq[1];
    PERFORM write_audit(p_audit, NULL, v_seq[1], v_now);
  END IF;
  -- What is there by another node's batch is answered as this one's own is, and so is a nonce that was used there.
  IF 1 = ANY (v_code) OR 2109 = ANY (v_code) OR cardinality(v_replayed) > 0
    OR v_is_async AND (0 = ANY (v_code) OR cardinality(p_nonce_hash) > 0) THEN
    last := (SELECT coalesce(max(u.seq), 0) FROM unnest(v_code, v_seq) AS u(code, seq) WHERE u.code <= 1);
  END IF;
  rest := CASE WHEN 0 = ANY (v_code) THEN v_now - v_made ELSE 0 END;
  IF v_is_async THEN
    IF 0 = ANY (v_code) THEN
      INSERT INTO unconfirmed (last, first, since) VALUES (append_rows_1.last, v_head + 1, v_wall);
    END IF;
    PERFORM set_config('synchronous_commit', 'off', true);
  END IF;
  code := v_code;
  seq := v_seq;
  a := v_a;
  b := v_b;
END
$$;

-- The same in one transaction, an answer a row.
CREATE OR REPLACE FUNCTION append_1(
  p_now bigint, p_usual_per_second integer, p_usual_per_day integer,
  p_app bytea[], p_interface integer[], p_kind integer[], p_target bytea[], p_target_hash bigint[],
  p_payload bytea[], p_body_start integer[], p_body_end integer[], p_measured integer[], p_display integer[],
  p_test boolean[], p_description bytea[], p_tag bytea[], p_tag_hash bigint[], p_slot bigint[], p_wish bigint[],
  p_biz bytea[], p_biz_hash bigint[], p_fingerprint bytea[],
  p_nonce_time bigint[], p_nonce_hash bigint[], p_client bytea[], p_request_id bytea[],
  p_expected bigint, p_confined integer, p_bound integer, p_operator bytea, p_audit bytea[],
  OUT n integer, OUT code integer, OUT seq bigint, OUT a bigint, OUT b bigint)
  RETURNS SETOF record LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  v_answers record;
BEGIN
  SELECT * INTO v_answers FROM append_rows_1(
    p_now, NULL, p_usual_per_second, p_usual_per_day, p_app, p_interface, p_kind, p_target, p_target_hash, p_payload, p_body_start, p_body_end,
      p_measured, p_display, p_test, p_description, p_tag, p_tag_hash, p_slot, p_wish, p_biz, p_biz_hash, p_fingerprint, p_nonce_time,
      p_nonce_hash, p_client, p_request_id,
    p_expected, p_confined, p_bound, p_operator, p_audit);
  PERFORM ring_bell(v_answers.rest);
  -- What is repeated is at the standby when this is answered, as if it had been written by it.
  IF v_answers.last IS NOT NULL THEN
    PERFORM await_standby();
  END IF;
  RETURN QUERY SELECT u.n::integer, u.code, u.seq, u.a, u.b
    FROM unnest(v_answers.code, v_answers.seq, v_answers.a, v_answers.b) WITH ORDINALITY AS u(code, seq, a, b, n);
END
$$;

-- The same, batch after batch, with the lane held for as long as they are decided and no longer: the first transaction does not wait for
-- the standby, and what it has written nobody reads (see `unconfirmed`) until a second one, without the lane, has waited; a third tells
-- that, as a session that is terminated while it waits leaves behind what it has committed. An answer an element. Where it fails with
-- PSUNK the pushes are in the log.
CREATE OR REPLACE PROCEDURE append_2(
  p_now bigint, p_node integer, p_usual_per_second integer, p_usual_per_day integer,
  p_app bytea[], p_interface integer[], p_kind integer[], p_target bytea[], p_target_hash bigint[],
  p_payload bytea[], p_body_start integer[], p_body_end integer[], p_measured integer[], p_display integer[],
  p_test boolean[], p_description bytea[], p_tag bytea[], p_tag_hash bigint[], p_slot bigint[], p_wish bigint[],
  p_biz bytea[], p_biz_hash bigint[], p_fingerprint bytea[],
  p_nonce_time bigint[], p_nonce_hash bigint[], p_client bytea[], p_request_id bytea[],
  OUT code integer[], OUT seq bigint[], OUT a bigint[], OUT b bigint[], OUT rest bigint)
  LANGUAGE plpgsql AS $$
DECLARE
  v_last bigint;
BEGIN
  SELECT r.code, r.seq, r.a, r.b, r.last, r.rest INTO code, seq, a, b, v_last, rest FROM psp.append_rows_1(
    p_now, p_node, p_usual_per_second, p_usual_per_day, p_app, p_interface, p_kind, p_target, p_target_hash, p_payload, p_body_start,
    p_body_end, p_measured, p_display, p_test, p_description, p_tag, p_tag_hash, p_slot, p_wish, p_biz, p_biz_hash, p_fingerprint,
    p_nonce_time, p_nonce_hash, p_client, p_request_id, NULL, NULL, NULL, NULL, NULL) r;
  COMMIT;
  IF v_last IS NULL THEN
    RETURN;
  END IF;
  BEGIN
    PERFORM psp.await_1();
  EXCEPTION WHEN query_canceled OR OTHERS THEN
    RAISE EXCEPTION '%', SQLERRM USING ERRCODE = 'PSUNK';
  END;
  COMMIT;
  BEGIN
    PERFORM psp.confirm_1(v_last);
  EXCEPTION WHEN query_canceled OR OTHERS THEN
    RAISE EXCEPTION '%', SQLERRM USING ERRCODE = 'PSUNK';
  END;
END
$$;

-- The log is at the standby up to there. Who says so has waited, and does not wait again.
CREATE OR REPLACE FUNCTION confirm_1(p_last bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  IF p_last > coalesce(confirmed_to(), -1) THEN
    INSERT INTO confirmed (last) VALUES (p_last);
  END IF;
END
$$;

-- Wakes the nodes that listen.
CREATE OR REPLACE FUNCTION ring_1() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM ring_bell(NULL);
END
$$;

-- What the push of an operator would do: it is decided and stored as append_1 does it, and all of that undone. `code` and what follows as
-- there; of a push that would be stored how many devices of each platform it addresses, how many are left out, when it would expire, and the
-- target.
CREATE OR REPLACE FUNCTION preview_1(
  p_now bigint, p_usual_per_second integer, p_usual_per_day integer,
  p_app bytea[], p_interface integer[], p_kind integer[], p_target bytea[], p_target_hash bigint[],
  p_payload bytea[], p_body_start integer[], p_body_end integer[], p_measured integer[], p_display integer[],
  p_test boolean[], p_description bytea[], p_tag bytea[], p_tag_hash bigint[], p_slot bigint[], p_wish bigint[],
  p_biz bytea[], p_biz_hash bigint[], p_fingerprint bytea[],
  p_nonce_time bigint[], p_nonce_hash bigint[], p_client bytea[], p_request_id bytea[],
  p_expected bigint, p_confined integer, p_bound integer, p_operator bytea, p_audit bytea[],
  OUT code integer, OUT seq bigint, OUT a bigint, OUT b bigint,
  OUT android bigint, OUT ios bigint, OUT skipped integer, OUT expires bigint, OUT target bigint, OUT within integer)
  LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  v_answer record;
BEGIN
  BEGIN
    SELECT * INTO v_answer FROM append_1(
      p_now, p_usual_per_second, p_usual_per_day, p_app, p_interface, p_kind, p_target, p_target_hash, p_payload, p_body_start, p_body_end,
      p_measured, p_display, p_test, p_description, p_tag, p_tag_hash, p_slot, p_wish, p_biz, p_biz_hash, p_fingerprint, p_nonce_time,
      p_nonce_hash, p_client, p_request_id, p_expected, p_confined, p_bound, NULL, NULL);
    code := v_answer.code;
    seq := v_answer.seq;
    a := v_answer.a;
    b := v_answer.b;
    IF v_answer.code = 0 THEN
      SELECT l.skipped, l.expires + l.wall_offset, l.target, l.within INTO skipped, expires, target, within
        FROM log l WHERE l.seq = v_answer.seq;
      SELECT c.android, c.ios INTO android, ios
        FROM targeted_devices(preview_1.target, preview_1.within, p_test[1]) c;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'PSP01';
  EXCEPTION WHEN SQLSTATE 'PSP01' THEN
    NULL;
  END;
END
$$;

-- How many devices a target has, of a user those inside an organisation; all, or test devices.
CREATE OR REPLACE FUNCTION targeted_devices(p_target bigint, p_within integer, p_test boolean, OUT android bigint, OUT ios bigint)
  LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  IF p_target >> 56 = 3 THEN
    SELECT CASE WHEN p_test THEN o.test_android ELSE o.android END, CASE WHEN p_test THEN o.test_ios ELSE o.ios END INTO android, ios
    FROM org o WHERE o.org = p_target & 72057594037927935;
    RETURN;
  END IF;
  SELECT count(*) FILTER (WHERE d.platform = 0), count(*) FILTER (WHERE d.platform = 1) INTO android, ios
  FROM device d JOIN org o ON o.org = d.org
  WHERE (CASE p_target >> 56 WHEN 1 THEN d.ordinal = p_target & 72057594037927935 ELSE d.holder = p_target & 72057594037927935 END)
    AND d.retired_seq = 9223372036854775807 AND (d.test OR NOT p_test) AND (p_within IS NULL OR p_within = ANY (o.path));
END
$$;
