-- Changes of the directory. A node decides them by what it knows of the directory as of a version, and this call writes what it has decided
-- if that is still the version: otherwise nothing is written, and the node decides anew. So all nodes decide by the same rules, which
-- are in one place, and in one order. Nothing is written either while there are jobs (`has_jobs`); where something is, it tells that there
-- are some now.
--
-- What is written comes as groups of arrays, NULL where there is none. Positions are relative: 1 is the first one after the head.
-- `p_positions` is how many there are. Numbers of new devices and users are relative too, and negative: -1 is the first that nobody had.
-- A group's rows are in the order in which they were decided; a later group may name rows of an earlier one.
CREATE OR REPLACE FUNCTION change_directory_1(
  p_now bigint, p_expected bigint, p_positions integer,
  -- Apps: whole rows. A number of NULL is a new app.
  p_app integer[], p_app_key bytea[], p_app_name bytea[], p_app_secret bytea[], p_app_former bytea[], p_app_used bigint[],
  p_app_former_used bigint[], p_app_interfaces integer[], p_app_scope bytea[], p_app_disabled boolean[], p_app_hmac boolean[],
  p_app_addresses bytea[], p_app_second integer[], p_app_day integer[], p_app_removed boolean[], p_app_at integer[],
  -- Organisations: new ones, renamed ones, removed ones; and those that have another parent from a position on (all of these too, so
  -- that every node hears of them).
  p_org integer[], p_org_id bytea[], p_org_name bytea[], p_org_removed boolean[],
  p_moved integer[], p_moved_parent integer[], p_moved_at integer[],
  -- Users that were never named before.
  p_holder bigint[], p_holder_id bytea[],
  -- Devices of new holders.
  p_new bigint[], p_new_token bytea[], p_new_hash bigint[], p_new_platform integer[], p_new_org integer[], p_new_holder bigint[],
  p_new_test boolean[], p_new_salt bytea[], p_new_secret bytea[], p_new_certificate bytea[], p_new_at integer[],
  -- Devices whose holder is gone.
  p_gone bigint[], p_gone_at integer[],
  -- Devices of the same holder that belong elsewhere from a position on.
  p_changed bigint[], p_changed_org integer[], p_changed_holder bigint[], p_changed_test boolean[], p_changed_at integer[],
  -- What opens a device's door. A connection that came through it has to be closed.
  p_door bigint[], p_door_salt bytea[], p_door_secret bytea[], p_door_certificate bytea[], p_door_closes boolean[], p_door_at integer[],
  -- What follows, in its order.
  p_job_kind integer[], p_job_subject bigint[], p_job_object bigint[], p_job_at integer[],
  -- The entry of the audit log, and of lines of an import how far that is (see advance_import; without it `p_import` is NULL).
  p_audit bytea[],
  p_import bigint, p_node integer, p_from integer, p_to integer, p_created integer, p_updated integer, p_failed integer, p_took bigint,
  p_part integer, p_line integer[], p_code integer[], p_field bytea[], p_chinese bytea[], p_english bytea[],
  OUT head bigint, OUT version bigint, OUT has_jobs boolean, OUT held bigint)
  LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  forever CONSTANT bigint := 9223372036854775807;
  v_now bigint;
  v_head bigint;
  v_ordinal bigint;
  v_holder bigint;
  v_row record;
  v_before integer[];
  v_subject bigint[];
  v_began timestamptz;
BEGIN
  PERFORM take_lane(p_now);
  v_began := clock_timestamp();
  v_now := store_time(p_now);
  v_head := head();
  version := (SELECT value FROM meta WHERE key = 'directory_version');
  -- What follows from the change before comes first: until then the directory stands still.
  has_jobs := cardinality(p_org) + cardinality(p_new) + cardinality(p_gone) + cardinality(p_changed) > 0 AND EXISTS (SELECT 1 FROM job);
  IF version <> p_expected OR has_jobs THEN
    RETURN;
  END IF;
  -- Nor where a user has been forgotten meanwhile, as no device was left that had it (forget_past_1).
  IF EXISTS (
    SELECT 1 FROM unnest(p_new_holder || p_changed_holder) AS u(holder)
    WHERE u.holder > 0 AND NOT EXISTS (SELECT 1 FROM holder h WHERE h.holder = u.holder)) THEN
    RETURN;
  END IF;
  IF p_import IS NOT NULL AND NOT advance_import(p_import, p_node, p_from, p_to, p_created, p_updated, p_failed, p_took, p_part, p_line,
    p_code, p_field, p_chinese, p_english) THEN
    version := -1;
    RETURN;
  END IF;
  head := v_head + p_positions;
  IF p_positions = 0 THEN
    PERFORM write_audit(p_audit, orgs_before(p_audit), NULL, v_now);
    RETURN;
  END IF;
  PERFORM ring_bell(v_now - last_made());
  v_before := orgs_before(p_audit);
  version := head;
  UPDATE meta SET value = change_directory_1.version WHERE key = 'directory_version';
  v_ordinal := (SELECT value FROM meta WHERE key = 'ordinal');
  v_holder := (SELECT value FROM meta WHERE key = 'holder');

  IF cardinality(p_app_key) > 0 THEN
    WITH given AS (
      SELECT * FROM unnest(p_app, p_app_key, p_app_name, p_app_secret, p_app_former, p_app_used, p_app_former_used, p_app_interfaces,
        p_app_scope, p_app_disabled, p_app_hmac, p_app_addresses, p_app_second, p_app_day, p_app_removed, p_app_at)
        AS u(app, appkey, name, secret, former_secret, secret_used, former_secret_used, interfaces, scope, disabled, hmac_only,
          addresses, per_second, per_day, removed, at)
    ), made AS (
      INSERT INTO app (appkey, name, secret, former_secret, secret_used, former_secret_used, interfaces, scope, disabled, hmac_only,
        addresses, per_second, per_day)
      SELECT appkey, name, secret, former_secret, secret_used, former_secret_used, interfaces, scope, disabled, hmac_only, addresses,
        per_second, per_day FROM given WHERE app IS NULL
      RETURNING app, appkey
    ), changed AS (
      UPDATE app a SET name = g.name, secret = g.secret, former_secret = g.former_secret, secret_used = g.secret_used,
        former_secret_used = g.former_secret_used, interfaces = g.interfaces, scope = g.scope, disabled = g.disabled,
        hmac_only = g.hmac_only, addresses = g.addresses, per_second = g.per_second, per_day = g.per_day, removed = g.removed
      FROM given g CROSS JOIN LATERAL (SELECT x.ctid AS place FROM app x WHERE x.app = g.app OFFSET 0) f WHERE a.ctid = f.place
    )
    INSERT INTO log (seq, target, created, kind, app)
    SELECT v_head + g.at, 0, v_now, 9, coalesce(g.app, m.app) FROM given g LEFT JOIN made m ON m.appkey = g.appkey;
  END IF;

  IF cardinality(p_org) > 0 THEN
    INSERT INTO org AS o (org, org_id, name, path, removed)
    SELECT u.org, u.org_id, u.name, ARRAY[u.org], false FROM unnest(p_org, p_org_id, p_org_name, p_org_removed) AS u(org, org_id, name, removed)
    ON CONFLICT (org) DO UPDATE SET name = excluded.name;
    UPDATE org SET removed = true
    WHERE org = ANY (ARRAY(SELECT u.org FROM unnest(p_org, p_org_removed) AS u(org, removed) WHERE u.removed));
  END IF;
  IF cardinality(p_moved) > 0 THEN
    FOR v_row IN SELECT u.org, u.parent, v_head + u.at AS position, o.removed
      FROM unnest(p_moved, p_moved_parent, p_moved_at) WITH ORDINALITY AS u(org, parent, at, n)
      CROSS JOIN LATERAL (SELECT x.removed FROM org x WHERE x.org = u.org OFFSET 0) o ORDER BY u.n
    LOOP
      PERFORM move_organisation(v_row.org, v_row.parent, v_row.position, v_row.removed, v_now);
    END LOOP;
  END IF;

  IF cardinality(p_holder) > 0 THEN
    INSERT INTO holder (holder, user_id) SELECT v_holder - u.holder, u.user_id FROM unnest(p_holder, p_holder_id) AS u(holder, user_id);
    UPDATE meta SET value = v_holder + cardinality(p_holder) WHERE key = 'holder';
  END IF;

  -- In the order in which nodes claim devices: so nobody waits for somebody who waits for him.
  IF cardinality(p_gone) + cardinality(p_door) > 0 THEN
    PERFORM 1 FROM session s WHERE s.ordinal = ANY (p_gone || p_door) ORDER BY s.ordinal FOR UPDATE;
  END IF;
  IF cardinality(p_gone) > 0 THEN
    WITH gone AS MATERIALIZED (
      SELECT d.ordinal, d.place, v_head + u.at AS position, d.org, d.platform, d.test
      FROM unnest(p_gone, p_gone_at) AS u(ordinal, at)
      CROSS JOIN LATERAL (SELECT x.ctid AS place, x.* FROM device x WHERE x.ordinal = u.ordinal OFFSET 0) d
    ), retired AS (
      UPDATE device d SET retired_seq = g.position FROM gone g WHERE d.ctid = g.place
    ), closed AS (
      UPDATE session SET version = version + 1 WHERE ordinal = ANY (p_gone) RETURNING ordinal, node, session
    ), told AS (
      INSERT INTO log (seq, target, created, kind, app, version, status)
      SELECT g.position, 1::bigint << 56 | g.ordinal, v_now, 6, c.node, c.session, 1
      FROM gone g JOIN closed c ON c.ordinal = g.ordinal WHERE c.node IS NOT NULL
    )
    SELECT add_devices(array_agg(g.org), array_agg(g.platform), array_agg(g.test), array_agg(-1)) FROM gone g INTO v_row;
  END IF;

  IF cardinality(p_new) > 0 THEN
    INSERT INTO device (ordinal, token, token_hash, platform, org, org_since, holder, holder_since, test, test_since, created_seq,
      retired_seq, salt, hash, certificate)
    SELECT v_ordinal - u.ordinal, u.token, u.hash, u.platform, u.org, v_head + u.at,
      CASE WHEN u.holder < 0 THEN v_holder - u.holder ELSE u.holder END, v_head + u.at, u.test, v_head + u.at, v_head + u.at,
      forever, u.salt, u.secret, u.certificate
    FROM unnest(p_new, p_new_token, p_new_hash, p_new_platform, p_new_org, p_new_holder, p_new_test, p_new_salt, p_new_secret,
      p_new_certificate, p_new_at) AS u(ordinal, token, hash, platform, org, holder, test, salt, secret, certificate, at);
    UPDATE meta SET value = v_ordinal + cardinality(p_new) WHERE key = 'ordinal';
    INSERT INTO session (ordinal, cursor) SELECT v_ordinal - u.ordinal, v_head + u.at FROM unnest(p_new, p_new_at) AS u(ordinal, at);
    PERFORM add_devices(p_new_org, p_new_platform, p_new_test, array_fill(1, ARRAY[cardinality(p_new)]));
  END IF;

  IF cardinality(p_changed) > 0 THEN
    WITH changed AS MATERIALIZED (
      SELECT d.ordinal, d.place, v_head + u.at AS position, d.org, d.org_since, d.platform, d.test, d.test_since, u.org AS new_org,
        u.holder AS new_holder, u.test AS new_test, d.holder IS DISTINCT FROM u.holder AS is_given
      FROM (
        SELECT c.ordinal, c.org, CASE WHEN c.holder < 0 THEN v_holder - c.holder ELSE c.holder END AS holder, c.test, c.at
        FROM unnest(p_changed, p_changed_org, p_changed_holder, p_changed_test, p_changed_at) AS c(ordinal, org, holder, test, at)) u
      CROSS JOIN LATERAL (SELECT x.ctid AS place, x.* FROM device x WHERE x.ordinal = u.ordinal OFFSET 0) d
    ), past_orgs AS (
      INSERT INTO past_org (ordinal, from_seq, to_seq, org)
      SELECT ordinal, org_since, position, org FROM changed WHERE org <> new_org
    ), past_tests AS (
      INSERT INTO past_test (ordinal, from_seq, to_seq) SELECT ordinal, test_since, position FROM changed WHERE test AND NOT new_test
    ), written AS (
      UPDATE device d SET org = c.new_org, org_since = CASE WHEN c.org <> c.new_org THEN c.position ELSE d.org_since END,
        holder = c.new_holder, holder_since = CASE WHEN c.is_given THEN c.position ELSE d.holder_since END,
        test = c.new_test, test_since = CASE WHEN c.test <> c.new_test THEN c.position ELSE d.test_since END
      FROM changed c WHERE d.ctid = c.place
    ), told AS (
      INSERT INTO log (seq, target, created, kind, within, version, flags)
      SELECT position, 1::bigint << 56 | ordinal, v_now, 4, new_org, new_holder, new_test::integer | (platform::integer << 1) FROM changed
    )
    SELECT add_devices(array_agg(c.org) || array_agg(c.new_org), array_agg(c.platform) || array_agg(c.platform),
      array_agg(c.test) || array_agg(c.new_test),
      array_fill(-1, ARRAY[count(*)::integer]) || array_fill(1, ARRAY[count(*)::integer])) FROM changed c INTO v_row;
  END IF;

  IF cardinality(p_door) > 0 THEN
    WITH given AS MATERIALIZED (
      SELECT u.*, d.place FROM unnest(p_door, p_door_salt, p_door_secret, p_door_certificate, p_door_closes, p_door_at)
        AS u(ordinal, salt, secret, certificate, closes, at)
      CROSS JOIN LATERAL (SELECT x.ctid AS place FROM device x WHERE x.ordinal = u.ordinal OFFSET 0) d
    ), written AS (
      UPDATE device d SET salt = g.salt, hash = g.secret, certificate = g.certificate FROM given g WHERE d.ctid = g.place
    ), closed AS (
      UPDATE session SET version = version + 1 WHERE ordinal = ANY (p_door) RETURNING ordinal, node, session
    )
    INSERT INTO log (seq, target, created, kind, app, version, status)
    SELECT v_head + g.at, 1::bigint << 56 | g.ordinal, v_now, 6, c.node, c.session, 1
    FROM given g JOIN closed c ON c.ordinal = g.ordinal WHERE g.closes AND c.node IS NOT NULL;
  END IF;

  IF cardinality(p_job_kind) > 0 THEN
    v_subject := ARRAY(
      SELECT CASE WHEN u.subject < 0 THEN v_ordinal - u.subject ELSE u.subject END FROM unnest(p_job_subject) WITH ORDINALITY AS u(subject, n)
      ORDER BY u.n);
    INSERT INTO job (position, kind, subject, object, place)
    SELECT v_head + p_job_at[w.n], p_job_kind[w.n], v_subject[w.n], p_job_object[w.n], 0
    FROM with_work(p_job_kind, v_subject) AS w(n) ORDER BY w.n;
    has_jobs := FOUND;
  END IF;

  -- A position that nobody is told of is taken all the same: what was decided as of it comes after everything before.
  IF NOT EXISTS (SELECT 1 FROM log WHERE seq = change_directory_1.head) AND p_positions > 0 THEN
    INSERT INTO log (seq, target, created, kind) VALUES (change_directory_1.head, 0, v_now, 14);
  END IF;
  PERFORM write_audit(p_audit, v_before, NULL, v_now);
  held := extract(epoch FROM clock_timestamp() - v_began) * 1000000;
END
$$;

-- Some devices come to organisations, or go (`p_step` of -1): everything above them counts them.
CREATE OR REPLACE FUNCTION add_devices(p_org integer[], p_platform integer[], p_test boolean[], p_step integer[]) RETURNS void
  LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  UPDATE org o SET android = o.android + s.android, ios = o.ios + s.ios, test_android = o.test_android + s.test_android,
    test_ios = o.test_ios + s.test_ios
  FROM (
    SELECT above.org, sum(u.step) FILTER (WHERE u.platform = 0) AS android, sum(u.step) FILTER (WHERE u.platform = 1) AS ios,
      sum(u.step) FILTER (WHERE u.platform = 0 AND u.test) AS test_android, sum(u.step) FILTER (WHERE u.platform = 1 AND u.test) AS test_ios
    FROM unnest(p_org, p_platform, p_test, p_step) AS u(org, platform, test, step)
    CROSS JOIN LATERAL (SELECT x.path FROM org x WHERE x.org = u.org OFFSET 0) c CROSS JOIN LATERAL unnest(c.path) AS above(org)
    GROUP BY above.org) t
    CROSS JOIN LATERAL (
      SELECT coalesce(t.android, 0) AS android, coalesce(t.ios, 0) AS ios, coalesce(t.test_android, 0) AS test_android,
        coalesce(t.test_ios, 0) AS test_ios) s
    CROSS JOIN LATERAL (SELECT x.ctid AS place FROM org x WHERE x.org = t.org OFFSET 0) f
  WHERE o.ctid = f.place AND (s.android <> 0 OR s.ios <> 0 OR s.test_android <> 0 OR s.test_ios <> 0);
END
$$;

-- An organisation has another parent (NULL: it is a root), or is new, or removed: with everything below it, and its devices' counts.
CREATE OR REPLACE FUNCTION move_organisation(p_org integer, p_parent integer, p_position bigint, p_removed boolean, p_now bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_org org%ROWTYPE;
  v_above integer[] := coalesce((SELECT path FROM org WHERE org = p_parent), '{}');
BEGIN
  SELECT * INTO v_org FROM org WHERE org = p_org;
  UPDATE org_parent SET to_seq = p_position WHERE org = p_org AND to_seq = 9223372036854775807;
  IF p_removed THEN
    INSERT INTO log (seq, target, created, kind, status) VALUES (p_position, 3::bigint << 56 | p_org, p_now, 5, 1);
    RETURN;
  END IF;
  INSERT INTO org_parent (org, from_seq, to_seq, parent) VALUES (p_org, p_position, 9223372036854775807, p_parent);
  UPDATE org o SET android = o.android + s.sign * v_org.android, ios = o.ios + s.sign * v_org.ios,
    test_android = o.test_android + s.sign * v_org.test_android, test_ios = o.test_ios + s.sign * v_org.test_ios
  FROM (
    SELECT org, sum(sign)::integer AS sign FROM (
      SELECT unnest(v_org.path[2:]) AS org, -1 AS sign UNION ALL SELECT unnest(v_above), 1) both_paths
    GROUP BY org HAVING sum(sign) <> 0) s
    CROSS JOIN LATERAL (SELECT x.ctid AS place FROM org x WHERE x.org = s.org OFFSET 0) f
  WHERE o.ctid = f.place;
  WITH RECURSIVE subtree AS (
    SELECT p_org AS org, ARRAY[p_org] || v_above AS path
    UNION ALL
    SELECT o.org, ARRAY[o.org] || s.path
    FROM subtree s CROSS JOIN LATERAL (SELECT x.org FROM org x WHERE x.parent = s.org AND NOT x.removed OFFSET 0) o
  )
  UPDATE org o SET path = s.path, parent = CASE WHEN o.org = p_org THEN p_parent ELSE o.parent END
  FROM subtree s CROSS JOIN LATERAL (SELECT x.ctid AS place FROM org x WHERE x.org = s.org OFFSET 0) f WHERE o.ctid = f.place;
  INSERT INTO log (seq, target, created, kind, within) VALUES (p_position, 3::bigint << 56 | p_org, p_now, 5, p_parent);
END
$$;
