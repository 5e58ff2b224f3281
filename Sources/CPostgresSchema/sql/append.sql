-- Takes pushes: every check that depends on the directory, the clock or earlier pushes, in the interface's order, then the rows.
-- One call is a batch; its arrays have an element a push. No two pushes of a batch have the same app and `out_biz_no`, the same
-- nonce, or the same configuration's slot: who gathers them sees to it.
--
-- An answer a push, in order. `code`: 0 stored, 1 repeated (`seq` is the first one), otherwise an error's, with what its text needs
-- in `a` and `b`: of 2006 the wall clock; of 2103 the wall clock and the latest time; of 2301 the bound (negative: of a day) and the time
-- to wait in milliseconds; of 2105 the platform.
CREATE OR REPLACE FUNCTION append_1(
  p_now bigint, p_usual_per_second integer, p_usual_per_day integer,
  p_app bytea[], p_interface integer[], p_kind integer[], p_target bytea[], p_target_hash bigint[],
  p_payload bytea[], p_body_start integer[], p_body_end integer[], p_measured integer[], p_display integer[],
  p_test boolean[], p_description bytea[], p_tag bytea[], p_tag_hash bigint[], p_slot bigint[], p_wish bigint[],
  p_biz bytea[], p_biz_hash bigint[], p_fingerprint bytea[],
  p_nonce_time bigint[], p_nonce_hash bigint[], p_client bytea[], p_request_id bytea[],
  -- Of the one push of an operator on behalf of its app, otherwise NULL: the version of the directory by which the operator may do so (there
  -- is no answer where that has changed), the organisation to which it is confined, what is inside of that and of the app's scope, its
  -- name, and the entry of the audit log, which is written with the task alone.
  p_expected bigint, p_confined integer, p_bound integer, p_operator bytea, p_audit bytea[],
  OUT n integer, OUT code integer, OUT seq bigint, OUT a bigint, OUT b bigint)
  RETURNS SETOF record LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  v_wall bigint;
  v_now bigint;
  v_head bigint;
  v_version bigint;
  v_replayed integer[];
  -- The first position that is young enough for an out_biz_no to be known.
  v_biz_from bigint;
BEGIN
  PERFORM take_lane(p_now);
  IF p_expected <> (SELECT value FROM meta WHERE key = 'directory_version') THEN
    RETURN;
  END IF;
  v_wall := wall();
  v_now := store_time(p_now);
  v_head := head();
  PERFORM ring(v_now);
  v_version := (SELECT value FROM meta WHERE key = 'configuration_version');
  v_biz_from := (SELECT value FROM meta WHERE key = 'biz_from');

  IF cardinality(p_nonce_hash) > 0 THEN
    v_replayed := use_nonces(p_app, p_interface, p_nonce_time, p_nonce_hash);
  END IF;

  RETURN QUERY
  WITH request AS MATERIALIZED (
    SELECT r.n::integer, a.app, a.scope, r.kind, r.target, r.interface, r.test, r.measured, r.wish, r.slot,
      CASE WHEN a.app IS NOT NULL THEN coalesce(a.per_second, p_usual_per_second) END AS per_second,
      CASE WHEN a.app IS NOT NULL THEN coalesce(a.per_day, p_usual_per_day) END AS per_day,
      first.seq AS first,
      CASE
        WHEN a.app IS NULL THEN 2004
        WHEN a.disabled THEN 2007
        WHEN a.interfaces & (1 << r.interface) = 0 THEN 2008
        WHEN r.n = ANY (v_replayed) THEN 2005
        WHEN -r.n = ANY (v_replayed) THEN 2006
        WHEN first.fingerprint <> r.fingerprint THEN 2109
        WHEN first.seq IS NOT NULL THEN 1
        WHEN r.wish <= v_wall OR r.interface = 0 AND r.wish - v_wall > 604800000 THEN 2103
        ELSE 0
      END AS early
    FROM unnest(p_app, p_interface, p_kind, p_target, p_test, p_measured, p_wish, p_slot, p_biz, p_biz_hash, p_fingerprint)
      WITH ORDINALITY AS r(appkey, interface, kind, target, test, measured, wish, slot, biz, biz_hash, fingerprint, n)
    LEFT JOIN app a ON a.appkey = r.appkey AND NOT a.removed
    LEFT JOIN LATERAL (
      SELECT l.seq, l.fingerprint FROM log l
      -- By the hash alone: in the order of positions the whole log would be looked through.
      WHERE r.biz_hash IS NOT NULL AND l.biz_hash = r.biz_hash AND l.seq >= v_biz_from AND l.app = a.app AND l.biz = r.biz
        AND l.created > v_now - 86400000
      ORDER BY l.seq + 0 DESC LIMIT 1) first ON true
  ), addressed AS MATERIALIZED (
    SELECT r.*, s.org AS scope_org, t.id, t.android, t.ios,
      CASE
        WHEN r.early <> 0 THEN r.early
        WHEN t.id IS NULL OR NOT t.permitted THEN 2200 + r.kind
        WHEN r.scope IS NOT NULL AND t.inside IS NOT TRUE THEN 2009
        WHEN r.test AND t.android + t.ios = 0 THEN 2205
        WHEN r.measured > 1024 OR r.measured > 256 AND t.ios > 0 AND t.android = 0 THEN 2105
        ELSE 0
      END AS late
    FROM request r
    LEFT JOIN org s ON s.org_id = r.scope AND NOT s.removed
    LEFT JOIN LATERAL (
      SELECT d.ordinal AS id,
        (d.platform = 0 AND (d.test OR NOT r.test))::integer AS android, (d.platform = 1 AND (d.test OR NOT r.test))::integer AS ios,
        r.scope IS NULL OR s.org = ANY (o.path) AS inside, p_confined IS NULL OR p_confined = ANY (o.path) AS permitted
      FROM device d JOIN org o ON o.org = d.org
      WHERE r.kind = 1 AND d.token_hash = p_target_hash[r.n] AND d.token = r.target AND d.retired_seq = 9223372036854775807
      UNION ALL
      SELECT h.holder,
        count(*) FILTER (WHERE m.inside AND m.platform = 0 AND (m.test OR NOT r.test))::integer,
        count(*) FILTER (WHERE m.inside AND m.platform = 1 AND (m.test OR NOT r.test))::integer, bool_or(m.inside), bool_and(m.permitted)
      FROM holder h
      JOIN LATERAL (
        SELECT d.platform, d.test, r.scope IS NULL OR s.org = ANY (o.path) AS inside,
          p_confined IS NULL OR p_confined = ANY (o.path) AS permitted
        FROM device d JOIN org o ON o.org = d.org
        WHERE d.holder = h.holder AND d.retired_seq = 9223372036854775807) m ON true
      WHERE r.kind = 2 AND h.user_id = r.target GROUP BY h.holder
      UNION ALL
      SELECT o.org, CASE WHEN r.test THEN o.test_android ELSE o.android END, CASE WHEN r.test THEN o.test_ios ELSE o.ios END,
        r.scope IS NULL OR s.org = ANY (o.path), p_confined IS NULL OR p_confined = ANY (o.path)
      FROM org o WHERE r.kind = 3 AND o.org_id = r.target AND NOT o.removed) t ON r.early = 0
  ), paced AS MATERIALIZED (
    -- Who has a bound takes its turn in the batch's order.
    SELECT x.*, row_number() OVER (PARTITION BY x.app ORDER BY x.n) AS turn
    FROM (
      SELECT g.*, least(g.per_second * 1000::bigint,
          coalesce(q.level + least(greatest(v_now - q.filled, 0), 1000) * g.per_second, g.per_second * 1000::bigint)) AS level
      FROM (
        SELECT f.n, f.app, f.per_second, f.per_day, f.late,
          count(*) FILTER (WHERE f.late = 0) OVER (PARTITION BY f.app ORDER BY f.n) AS upto
        FROM addressed f WHERE f.early = 0 AND (f.per_second IS NOT NULL OR f.per_day IS NOT NULL)) g
      LEFT JOIN app_rate q ON q.app = g.app
      WHERE g.per_day IS NULL
        OR g.upto - (g.late = 0)::integer + CASE WHEN q.day IN (v_wall / 86400000, v_wall / 86400000 + 1) THEN q.pushes ELSE 0 END
          < g.per_day) x
  ), judged AS MATERIALIZED (
    SELECT f.*, p.level, p.turn,
      CASE
        WHEN f.early <> 0 THEN f.early
        WHEN (f.per_second IS NOT NULL OR f.per_day IS NOT NULL) AND (p.n IS NULL OR p.turn > p.level / 1000) THEN 2301
        ELSE f.late
      END AS code,
      p.n IS NULL AND f.per_day IS NOT NULL AS is_day
    FROM addressed f LEFT JOIN paced p ON p.n = f.n
  ), placed AS MATERIALIZED (
    -- An older configuration's end takes the position before the new one's.
    SELECT j.*, c.seq AS older,
      v_head + count(*) OVER w + count(c.seq) OVER w AS seq,
      count(*) FILTER (WHERE j.interface = 1) OVER w AS nth
    FROM judged j
    LEFT JOIN LATERAL (
      SELECT l.seq FROM current_config k JOIN log l ON l.seq = k.seq
      WHERE j.slot IS NOT NULL AND k.slot = j.slot AND k.target_kind = j.kind AND k.target = j.target AND k.app = j.app
        AND k.test = j.test AND k.tag = coalesce(p_tag[j.n], '') AND l.status = 0 AND (l.expires IS NULL OR l.expires > v_now)) c
      ON true
    WHERE j.code = 0
    WINDOW w AS (ORDER BY j.n)
  ), kept AS (
    INSERT INTO log (
      seq, target, created, expires, wall_offset, biz_hash, tag_hash, version, app, within, body_start, body_end, targeted,
      skipped, kind, flags, display, payload, tag, description, biz, fingerprint, client, request_id)
    SELECT p.seq, p.kind::bigint << 56 | p.id, v_now,
      CASE WHEN p.wish IS NOT NULL THEN p.wish - (v_wall - v_now) WHEN p.interface = 0 THEN v_now + 259200000 END,
      v_wall - v_now, p_biz_hash[p.n], p_tag_hash[p.n], CASE WHEN p.interface = 1 THEN v_version + p.nth END, p.app,
      CASE WHEN p.interface = 1 OR p.kind = 2 THEN coalesce(p_bound, p.scope_org) END, p_body_start[p.n], p_body_end[p.n], p.android + p.ios,
      CASE WHEN p.measured > 256 THEN p.ios ELSE 0 END, p.interface,
      p.test::integer | CASE WHEN p.measured > 256 THEN 2 ELSE 0 END, p_display[p.n], p_payload[p.n], p_tag[p.n],
      p_description[p.n], p_biz[p.n], p_fingerprint[p.n], p_client[p.n], p_request_id[p.n]
    FROM placed p
  ), ended AS (
    UPDATE log l SET status = 2, ended_at = v_now FROM placed p WHERE l.seq = p.older
  ), told AS (
    INSERT INTO log (seq, target, created, kind, ref) SELECT p.seq - 1, 0, v_now, 3, p.older FROM placed p WHERE p.older IS NOT NULL
  ), former AS (
    DELETE FROM current_config k USING placed p
    WHERE p.interface = 1 AND k.slot = p.slot AND k.target_kind = p.kind AND k.target = p.target AND k.app = p.app
      AND k.test = p.test AND k.tag = coalesce(p_tag[p.n], '')
  ), current AS (
    INSERT INTO current_config (slot, seq, target, target_kind, app, tag, test, within)
    SELECT p.slot, p.seq, p.target, p.kind, p.app, coalesce(p_tag[p.n], ''), p.test, coalesce(p_bound, p.scope_org)
    FROM placed p WHERE p.interface = 1
  ), versions AS (
    UPDATE meta SET value = value + m.nth FROM (SELECT max(p.nth) AS nth FROM placed p) m WHERE key = 'configuration_version' AND m.nth > 0
  ), rates AS (
    INSERT INTO app_rate AS q (app, level, filled, day, pushes)
    SELECT j.app, coalesce(max(j.level) - 1000 * least(max(j.turn), max(j.level) / 1000), 0), v_now, v_wall / 86400000,
      count(*) FILTER (WHERE j.code = 0)
    FROM judged j WHERE j.early = 0 AND (j.per_second IS NOT NULL OR j.per_day IS NOT NULL) GROUP BY j.app
    ON CONFLICT (app) DO UPDATE SET
      level = excluded.level, filled = excluded.filled,
      day = CASE WHEN q.day = excluded.day + 1 THEN q.day ELSE excluded.day END,
      pushes = CASE WHEN q.day IN (excluded.day, excluded.day + 1) THEN q.pushes ELSE 0 END + excluded.pushes
  )
  SELECT j.n, j.code::integer, coalesce(p.seq, j.first),
    CASE j.code
      WHEN 2006 THEN v_wall
      WHEN 2103 THEN v_wall
      WHEN 2301 THEN CASE WHEN j.is_day THEN -j.per_day ELSE j.per_second END
      WHEN 2105 THEN CASE WHEN j.measured > 1024 THEN 0 ELSE 1 END
    END::bigint,
    CASE j.code
      WHEN 2103 THEN CASE WHEN j.interface = 0 THEN v_wall + 604800000 END
      WHEN 2301 THEN CASE WHEN j.is_day THEN 86400000 - v_wall % 86400000 ELSE (999 - j.level % 1000) / j.per_second + 1 END
    END::bigint
  FROM judged j LEFT JOIN placed p ON p.n = j.n ORDER BY j.n;

  IF p_expected IS NOT NULL AND EXISTS (SELECT 1 FROM log WHERE seq > v_head) THEN
    UPDATE log SET operator = p_operator WHERE seq = head();
    PERFORM write_audit(p_audit, NULL, head(), v_now);
  END IF;
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
