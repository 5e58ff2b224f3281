-- The audit log: what operators did, and how often whom was refused. An entry of a change is written by the call that changes something.
--
-- Entries come as one array of texts, so many elements each; numbers are written in digits. See AuditArguments.

CREATE OR REPLACE FUNCTION audit_entries(p_audit bytea[],
  OUT n bigint, OUT seen bigint, OUT age bigint, OUT caller bytea, OUT operator bigint, OUT name bytea, OUT scope bytea, OUT client bytea,
  OUT request_id bytea, OUT action bytea, OUT kind bytea, OUT target bytea, OUT target_hash bigint, OUT task bytea, OUT seq bigint,
  OUT code integer, OUT details bytea, OUT node bytea)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT e.n, convert_from(e.f[1], 'UTF8')::bigint, convert_from(e.f[2], 'UTF8')::bigint, e.f[3], convert_from(e.f[4], 'UTF8')::bigint,
    e.f[5], e.f[6], e.f[7], e.f[8], e.f[9], e.f[10], e.f[11], convert_from(e.f[12], 'UTF8')::bigint, e.f[13],
    convert_from(e.f[14], 'UTF8')::bigint, convert_from(e.f[15], 'UTF8')::integer, e.f[16], e.f[17]
  FROM (
    SELECT (u.i - 1) / 17 AS n, array_agg(u.field ORDER BY u.i) AS f FROM unnest(p_audit) WITH ORDINALITY AS u(field, i) GROUP BY 1) e;
END
$$;

-- In which organisations a target is: one, and everything above it. Whoever is confined to one of them sees the entry. A user is in no
-- one organisation, nor is a task: what was pushed is seen where the task is.
CREATE OR REPLACE FUNCTION audited_orgs(p_kind bytea, p_target bytea, p_target_hash bigint, p_seq bigint) RETURNS integer[]
  LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF p_kind = 'org' THEN
    RETURN (SELECT path FROM org WHERE org_id = p_target AND removed IS NOT TRUE);
  ELSIF p_kind = 'device' THEN
    RETURN (SELECT o.path FROM device d JOIN org o ON o.org = d.org
      WHERE d.token_hash = p_target_hash AND d.token = p_target AND d.retired_seq = 9223372036854775807);
  ELSIF p_kind IS NULL OR p_kind = 'user' THEN
    RETURN (SELECT orgs_of_target(l.target, l.seq) FROM log l WHERE l.seq = p_seq AND l.kind <= 1);
  END IF;
  RETURN NULL;
END
$$;

-- The organisations that all of those are inside of whom a task addressed that was accepted at a position: an organisation; a device, where
-- it was then; a user, where all devices were that it had then. Inside as the tree is now.
CREATE OR REPLACE FUNCTION orgs_of_target(p_target bigint, p_seq bigint) RETURNS integer[] LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN CASE p_target >> 56
    WHEN 3 THEN (SELECT o.path FROM org o WHERE o.org = p_target & 72057594037927935 AND NOT o.removed)
    WHEN 1 THEN (SELECT o.path FROM device d JOIN org o ON o.org = org_at(d, p_seq) AND NOT o.removed
      WHERE d.ordinal = p_target & 72057594037927935 AND d.created_seq < p_seq AND p_seq < d.retired_seq)
    WHEN 2 THEN (
      WITH place AS MATERIALIZED (
        SELECT org_at(d, p_seq) AS org FROM device d
        WHERE d.holder = p_target & 72057594037927935 AND d.holder_since < p_seq AND p_seq < d.retired_seq LIMIT 1001)
      SELECT array_agg(shared.org) FROM (
        SELECT above.org FROM place p JOIN org o ON o.org = p.org AND NOT o.removed CROSS JOIN LATERAL unnest(o.path) AS above(org)
        GROUP BY above.org HAVING count(*) = (SELECT count(*) FROM place WHERE (SELECT count(*) FROM place) <= 1000)) shared)
  END;
END
$$;

-- Where a device was at a position.
CREATE OR REPLACE FUNCTION org_at(p_device device, p_seq bigint) RETURNS integer LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF p_device.org_since < p_seq THEN
    RETURN p_device.org;
  END IF;
  RETURN (SELECT p.org FROM past_org p WHERE p.ordinal = p_device.ordinal AND p.from_seq < p_seq AND p_seq < p.to_seq);
END
$$;

-- Writes entries. Of those with the same `seen` in a minute the first alone is kept: so questions and refusals that come again have one, and
-- a call that is made again writes nothing twice. `p_before`: where the target of the only entry was before the change. `p_seq`: the task
-- that the call has made.
CREATE OR REPLACE FUNCTION write_audit(p_audit bytea[], p_before integer[], p_seq bigint, p_now bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
BEGIN
  IF coalesce(cardinality(p_audit), 0) = 0 THEN
    RETURN;
  END IF;
  IF NOT EXISTS (SELECT 1 FROM audit_ahead a JOIN clock c ON a.ahead = -c.shift) THEN
    INSERT INTO audit_ahead SELECT -shift FROM clock ON CONFLICT DO NOTHING;
  END IF;
  -- In the order of keys, so that two nodes do not wait for each other; numbers in the order in which they came.
  INSERT INTO audit (at, number, ahead, seen, caller, operator, name, scope, client, request_id, action, kind, target, task, seq, code, orgs,
    details, node)
  SELECT p_now - e.age, e.number, -(SELECT shift FROM clock), e.seen, e.caller, e.operator, e.name,
    (SELECT o.org FROM org o WHERE o.org_id = e.scope AND o.removed IS NOT TRUE), e.client, e.request_id, e.action, e.kind, e.target, e.task,
    coalesce(p_seq, e.seq), e.code,
    (SELECT array_agg(DISTINCT u.org)
      FROM unnest(p_before || audited_orgs(e.kind, e.target, e.target_hash, coalesce(p_seq, e.seq))) AS u(org)), e.details, e.node
  FROM (SELECT o.*, nextval('audit_number') AS number FROM (SELECT * FROM audit_entries(p_audit) ORDER BY n) o) e
  ORDER BY e.seen
  ON CONFLICT (seen, (at / 60000)) DO NOTHING;
END
$$;

-- Where the target of the only entry is now.
CREATE OR REPLACE FUNCTION orgs_before(p_audit bytea[]) RETURNS integer[] LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF coalesce(cardinality(p_audit), 0) = 0 THEN
    RETURN NULL;
  END IF;
  RETURN (SELECT audited_orgs(e.kind, e.target, e.target_hash, e.seq) FROM audit_entries(p_audit) e);
END
$$;

-- Writes entries of what changes nothing.
CREATE OR REPLACE FUNCTION record_1(p_now bigint, p_audit bytea[]) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM check_clock(p_now, 2000);
  PERFORM write_audit(p_audit, NULL, NULL, store_time(p_now));
  PERFORM await_unwritten();
END
$$;

-- Entries before a place, newest first. So many are looked at at most: `at` and `number` of a row without an `action` are where to go on.
-- `p_confined`: who reads is confined to an organisation (NULL: to one that does not exist any more), and sees what concerns it, and what it
-- did itself while it was confined to the same.
CREATE OR REPLACE FUNCTION audit_1(
  p_caller bytea, p_name bytea, p_client bytea, p_node bytea, p_action bytea, p_target bytea, p_task bytea, p_seq bigint, p_code integer,
  p_from bigint, p_to bigint, p_confined boolean, p_reader bigint, p_scope integer, p_at bigint, p_number bigint, p_limit integer,
  p_look integer,
  OUT at bigint, OUT number bigint, OUT "time" bigint, OUT caller bytea, OUT operator bigint, OUT name bytea, OUT client bytea,
  OUT request_id bytea, OUT action bytea, OUT kind bytea, OUT target bytea, OUT task bytea, OUT seq bigint, OUT code integer,
  OUT details bytea, OUT node bytea)
  -- By what is asked for it is looked up in another way.
  RETURNS SETOF record LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  -- Times as people see them are store time and one of a few distances, which the table `audit_ahead` holds.
  v_from bigint := CASE WHEN p_from IS NOT NULL THEN (greatest(p_from, -4611686018427387904) - (SELECT max(ahead) FROM audit_ahead)) END;
  v_to bigint := CASE WHEN p_to IS NOT NULL THEN (least(p_to, 4611686018427387904) - (SELECT min(ahead) FROM audit_ahead)) END;
BEGIN
  RETURN QUERY
  WITH looked AS MATERIALIZED (
    SELECT a.* FROM audit a
    WHERE (a.at, a.number) < (p_at, p_number) AND (p_from IS NULL OR a.at >= v_from) AND (p_to IS NULL OR a.at < v_to)
      AND (p_target IS NULL OR a.target = p_target) AND (p_task IS NULL OR a.task = p_task OR a.seq = p_seq)
    ORDER BY a.at DESC, a.number DESC LIMIT p_look
  ), found AS MATERIALIZED (
    SELECT l.* FROM looked l
    WHERE (p_from IS NULL OR l.at + l.ahead >= p_from) AND (p_to IS NULL OR l.at + l.ahead < p_to)
      AND (p_caller IS NULL OR l.caller = p_caller) AND (p_name IS NULL OR l.name = p_name) AND (p_client IS NULL OR l.client = p_client)
      AND (p_node IS NULL OR l.node = p_node) AND (p_action IS NULL OR l.action = p_action) AND (p_code IS NULL OR l.code = p_code)
      AND (NOT p_confined OR l.operator = p_reader AND l.scope = p_scope OR p_scope = ANY (l.orgs))
    ORDER BY l.at DESC, l.number DESC LIMIT p_limit
  ), place AS (
    -- Either the page is full, or as many were looked at as may be.
    SELECT * FROM (SELECT f.at, f.number FROM found f ORDER BY f.at, f.number LIMIT 1) last WHERE (SELECT count(*) FROM found) = p_limit
    UNION ALL
    SELECT * FROM (SELECT l.at, l.number FROM looked l ORDER BY l.at, l.number LIMIT 1) last
    WHERE (SELECT count(*) FROM found) < p_limit AND (SELECT count(*) FROM looked) = p_look
  )
  SELECT p.at, p.number, f.at + f.ahead, f.caller, f.operator, f.name, f.client, f.request_id, f.action, f.kind, f.target, f.task, f.seq,
    f.code, f.details, f.node
  FROM (
    SELECT f.at, f.number, false AS is_place FROM found f
    UNION ALL SELECT p.at, p.number, true FROM place p) p
    LEFT JOIN found f ON f.at = p.at AND f.number = p.number AND NOT p.is_place
  ORDER BY p.is_place, p.at DESC, p.number DESC;
END
$$;

-- Adds refusals to those that are counted already. Who is refused chooses name and address: only so many are told apart in a minute and in a
-- day, and the rest is summed up under no name.
CREATE OR REPLACE FUNCTION count_refusals_1(
  p_minute bigint[], p_listener integer[], p_name bytea[], p_client bytea[], p_code integer[], p_count bigint[],
  p_of_minute integer, p_of_day integer) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_ahead bigint := -(SELECT shift FROM clock);
BEGIN
  -- One at a time, since it counts what there is.
  PERFORM pg_advisory_xact_lock(1886613553, 3);
  INSERT INTO refusal AS r (minute, listener, name, client, code, ahead, count)
  SELECT g.minute, g.listener, g.name, g.client, g.code, v_ahead, sum(g.count)
  FROM (
    SELECT f.minute, f.listener, f.count, CASE WHEN f.has_room THEN f.name ELSE '' END AS name,
      CASE WHEN f.has_room THEN f.client ELSE '' END AS client, CASE WHEN f.has_room THEN f.code ELSE 0 END AS code
    FROM (
      SELECT k.*, k.is_known
        OR row_number() OVER (PARTITION BY k.listener, k.minute, k.is_known ORDER BY k.n) <= p_of_minute - (
          SELECT count(*) FROM refusal r WHERE r.minute = k.minute AND r.listener = k.listener)
        AND row_number() OVER (PARTITION BY k.listener, k.minute / 1440, k.is_known ORDER BY k.n) <= p_of_day - (
          SELECT count(*) FROM refusal r
          WHERE r.minute >= k.minute / 1440 * 1440 AND r.minute < (k.minute / 1440 + 1) * 1440 AND r.listener = k.listener) AS has_room
      FROM (
        SELECT u.*, u.code = 0 OR EXISTS (
          SELECT 1 FROM refusal r WHERE (r.minute, r.listener, r.name, r.client, r.code) = (u.minute, u.listener, u.name, u.client, u.code))
          AS is_known
        FROM unnest(p_minute, p_listener, p_name, p_client, p_code, p_count) WITH ORDINALITY
          AS u(minute, listener, name, client, code, count, n)) k) f) g
  GROUP BY g.minute, g.listener, g.name, g.client, g.code
  ON CONFLICT (minute, listener, name, client, code) DO UPDATE SET count = r.count + excluded.count;
END
$$;

-- Counts of refusals, newest first: so many of those in and before a minute, behind some of them. Who asks chooses among them.
CREATE OR REPLACE FUNCTION refusals_1(p_minute bigint, p_behind bigint, p_look integer,
  OUT minute bigint, OUT listener integer, OUT name bytea, OUT client bytea, OUT code integer, OUT ahead bigint, OUT count bigint)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT r.minute, r.listener::integer, r.name, r.client, r.code, r.ahead, r.count FROM refusal r WHERE r.minute <= p_minute
  ORDER BY r.minute DESC, r.listener DESC, r.name DESC, r.client DESC, r.code DESC OFFSET p_behind LIMIT p_look;
END
$$;

-- Forgets entries and counts that are older than a time of the store, so many at most. Returns whether there may be more.
CREATE OR REPLACE FUNCTION forget_audit_1(p_now bigint, p_lifetime bigint, p_limit integer) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_before bigint := p_now - p_lifetime;
  v_entries integer;
  v_counts integer;
BEGIN
  PERFORM check_clock(p_now, 2000);
  DELETE FROM audit WHERE (at, number) IN (SELECT a.at, a.number FROM audit a WHERE a.at <= v_before ORDER BY a.at, a.number LIMIT p_limit);
  GET DIAGNOSTICS v_entries = ROW_COUNT;
  DELETE FROM refusal WHERE (minute, listener, name, client, code) IN (
    SELECT r.minute, r.listener, r.name, r.client, r.code FROM refusal r WHERE r.minute < v_before / 60000 ORDER BY r.minute LIMIT p_limit);
  GET DIAGNOSTICS v_counts = ROW_COUNT;
  RETURN v_entries = p_limit OR v_counts = p_limit;
END
$$;
