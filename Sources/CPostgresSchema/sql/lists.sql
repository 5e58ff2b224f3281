-- What operators look up: bounded reads, each as of one moment. A page looks at a bounded number of records, so that it may hold fewer
-- items than asked, even none. It has one row more than items, in which `place` alone is set: up to where it has looked, and NULL where
-- nothing lies behind. A page that is full goes on after its last item.

-- An app by its key, in the columns of apps_1.
CREATE OR REPLACE FUNCTION app_1(p_key bytea,
  OUT app integer, OUT appkey bytea, OUT name bytea, OUT secret bytea, OUT former_secret bytea, OUT secret_used bigint,
  OUT former_secret_used bigint, OUT interfaces integer, OUT scope bytea, OUT disabled boolean, OUT hmac_only boolean,
  OUT addresses bytea, OUT per_second integer, OUT per_day integer, OUT removed boolean)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT a.app, a.appkey, a.name, a.secret, a.former_secret, a.secret_used, a.former_secret_used, a.interfaces::integer,
    a.scope, a.disabled, a.hmac_only, a.addresses, a.per_second, a.per_day, a.removed
  FROM app a WHERE a.appkey = p_key AND NOT a.removed;
END
$$;

-- Apps after a number, in the order of their numbers.
CREATE OR REPLACE FUNCTION list_apps_1(p_after integer, p_limit integer,
  OUT app integer, OUT appkey bytea, OUT name bytea, OUT secret bytea, OUT former_secret bytea, OUT secret_used bigint,
  OUT former_secret_used bigint, OUT interfaces integer, OUT scope bytea, OUT disabled boolean, OUT hmac_only boolean,
  OUT addresses bytea, OUT per_second integer, OUT per_day integer, OUT removed boolean)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT a.app, a.appkey, a.name, a.secret, a.former_secret, a.secret_used, a.former_secret_used, a.interfaces::integer,
    a.scope, a.disabled, a.hmac_only, a.addresses, a.per_second, a.per_day, a.removed
  FROM app a WHERE a.app > p_after AND NOT a.removed ORDER BY a.app LIMIT p_limit;
END
$$;

-- The number of an organisation that there is. Here, as wherever one is looked up by its id, `removed IS NOT TRUE` where NOT would be said
-- elsewhere: by that the planner might also find it in `org_by_parent`, read as a whole, which costs the same as long as there are few.
CREATE OR REPLACE FUNCTION org_number(p_id bytea) RETURNS integer LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT o.org FROM org o WHERE o.org_id = p_id AND o.removed IS NOT TRUE);
END
$$;

-- How many devices of some organisations, and of everything below each, are connected to nodes that live. Where there are few devices
-- they are counted; of more the nodes tell themselves, a second later.
CREATE OR REPLACE FUNCTION online_devices(p_now bigint, p_org integer[], OUT org integer, OUT online bigint)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  v_counted integer[];
BEGIN
  SELECT coalesce(array_agg(x.org), '{}') INTO v_counted FROM (
    SELECT o.org, sum(o.android + o.ios) OVER (ORDER BY o.android + o.ios, o.org) AS upto FROM org o WHERE o.org = ANY (p_org)) x
  WHERE x.upto <= 10000;
  RETURN QUERY
  WITH RECURSIVE subtree AS (
    SELECT o.org AS top, o.org FROM org o WHERE o.org = ANY (v_counted)
    UNION ALL
    SELECT s.top, o.org FROM subtree s JOIN org o ON o.parent = s.org AND NOT o.removed AND o.android + o.ios > 0
  )
  SELECT s.top, count(*) FROM subtree s
  JOIN device d ON d.org = s.org AND d.retired_seq = 9223372036854775807
  JOIN session c ON c.ordinal = d.ordinal AND c.session IS NOT NULL
  JOIN node n ON n.node = c.node AND n.lease > p_now
  GROUP BY s.top;
  RETURN QUERY
  SELECT c.org, sum(c.devices) FROM online c JOIN node n ON n.node = c.node AND n.lease > p_now
  WHERE c.org = ANY (p_org) AND c.org <> ALL (v_counted) GROUP BY c.org;
END
$$;

-- Some organisations as operators see them, in the order of their numbers. To who is confined to a scope there is nothing above it.
CREATE OR REPLACE FUNCTION organisation_rows(p_now bigint, p_org integer[], p_scope integer,
  OUT org integer, OUT org_id bytea, OUT name bytea, OUT parent_id bytea, OUT devices bigint, OUT online bigint)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT o.org, o.org_id, o.name, CASE WHEN o.org IS DISTINCT FROM p_scope THEN p.org_id END, (o.android + o.ios)::bigint,
    coalesce(c.online, 0)
  FROM org o LEFT JOIN org p ON p.org = o.parent LEFT JOIN online_devices(p_now, p_org) c ON c.org = o.org
  WHERE o.org = ANY (p_org) ORDER BY o.org;
END
$$;

CREATE OR REPLACE FUNCTION organisation_1(p_now bigint, p_id bytea, p_scope bytea,
  OUT org integer, OUT org_id bytea, OUT name bytea, OUT parent_id bytea, OUT devices bigint, OUT online bigint)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  v_scope integer := org_number(p_scope);
BEGIN
  RETURN QUERY SELECT r.* FROM organisation_rows(p_now, ARRAY(
    SELECT o.org FROM org o WHERE o.org_id = p_id AND o.removed IS NOT TRUE AND (p_scope IS NULL OR v_scope = ANY (o.path))), v_scope) r;
END
$$;

CREATE OR REPLACE FUNCTION list_organisations_1(p_now bigint, p_scope bytea, p_after integer, p_limit integer,
  OUT org integer, OUT org_id bytea, OUT name bytea, OUT parent_id bytea, OUT devices bigint, OUT online bigint, OUT place bigint)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  v_scan integer := CASE WHEN p_scope IS NULL THEN p_limit ELSE greatest(p_limit, 1000) END;
  v_scope integer := org_number(p_scope);
  v_found integer[];
  v_last integer;
  v_count integer;
BEGIN
  SELECT array_agg(l.org ORDER BY l.org) FILTER (WHERE NOT l.removed AND (p_scope IS NULL OR v_scope = ANY (l.path))), max(l.org), count(*)
    INTO v_found, v_last, v_count
    FROM (SELECT o.org, o.removed, o.path FROM org o WHERE o.org > p_after ORDER BY o.org LIMIT v_scan) l;
  RETURN QUERY SELECT r.*, NULL::bigint FROM organisation_rows(p_now, v_found[1:p_limit], v_scope) r;
  place := CASE WHEN v_count = v_scan THEN v_last END;
  RETURN NEXT;
END
$$;

-- Those of some devices that are registered and inside of a scope, in the order of their ordinals, and the nodes that have their
-- connections: a node that has died has none.
CREATE OR REPLACE FUNCTION device_rows(p_now bigint, p_ordinal bigint[], p_scope integer, p_online boolean, p_limit integer,
  OUT ordinal bigint, OUT token bytea, OUT platform integer, OUT org_id bytea, OUT user_id bytea, OUT test boolean, OUT certificate bytea,
  OUT seen bigint, OUT node_name text, OUT node integer, OUT session bigint, OUT cursor bigint, OUT beyond bigint[])
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT d.ordinal, d.token, d.platform::integer, o.org_id, h.user_id, d.test, d.certificate, s.seen, n.name, n.node,
    CASE WHEN n.node IS NOT NULL THEN s.session END, s.cursor, s.beyond
  FROM device d
  JOIN org o ON o.org = d.org
  JOIN session s ON s.ordinal = d.ordinal
  LEFT JOIN holder h ON h.holder = d.holder
  LEFT JOIN node n ON n.node = s.node AND s.session IS NOT NULL AND n.lease > p_now
  WHERE d.ordinal = ANY (p_ordinal) AND d.retired_seq = 9223372036854775807
    AND (p_scope IS NULL OR p_scope = ANY (o.path)) AND (p_online IS NULL OR p_online = (n.node IS NOT NULL))
  ORDER BY d.ordinal LIMIT p_limit;
END
$$;

CREATE OR REPLACE FUNCTION device_1(p_now bigint, p_token bytea, p_token_hash bigint, p_scope bytea,
  OUT ordinal bigint, OUT token bytea, OUT platform integer, OUT org_id bytea, OUT user_id bytea, OUT test boolean, OUT certificate bytea,
  OUT seen bigint, OUT node_name text, OUT node integer, OUT session bigint, OUT cursor bigint, OUT beyond bigint[])
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  -- No organisation has that number.
  v_scope integer := CASE WHEN p_scope IS NOT NULL THEN coalesce(org_number(p_scope), -1) END;
BEGIN
  RETURN QUERY SELECT r.* FROM device_rows(p_now, ARRAY(
    SELECT d.ordinal FROM device d
    WHERE d.token_hash = p_token_hash AND d.token = p_token AND d.retired_seq = 9223372036854775807), v_scope, NULL, 1) r;
END
$$;

-- Devices after an ordinal: all, those of an organisation itself, of a user, within a scope, and those that are connected or are not.
CREATE OR REPLACE FUNCTION list_devices_1(p_now bigint, p_org bytea, p_user bytea, p_scope bytea, p_online boolean, p_after bigint,
  p_limit integer,
  OUT ordinal bigint, OUT token bytea, OUT platform integer, OUT org_id bytea, OUT user_id bytea, OUT test boolean, OUT certificate bytea,
  OUT seen bigint, OUT node_name text, OUT node integer, OUT session bigint, OUT cursor bigint, OUT beyond bigint[], OUT place bigint)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  v_org integer := org_number(p_org);
  v_user bigint := (SELECT h.holder FROM holder h WHERE h.user_id = p_user);
  v_scope integer := org_number(p_scope);
  v_scan integer := CASE
    WHEN p_scope IS NULL AND p_online IS NULL AND (p_org IS NULL OR p_user IS NULL) THEN p_limit
    -- Those that are connected may be few of many.
    WHEN p_online AND p_org IS NULL AND p_user IS NULL THEN greatest(p_limit, 5000)
    ELSE greatest(p_limit, 1000) END;
  v_found bigint[];
  v_last bigint;
  v_count integer;
BEGIN
  IF p_org IS NOT NULL AND v_org IS NULL OR p_user IS NOT NULL AND v_user IS NULL OR p_scope IS NOT NULL AND v_scope IS NULL THEN
    -- One that there is not has no devices.
    RETURN NEXT;
    RETURN;
  END IF;
  IF p_user IS NOT NULL THEN
    SELECT array_agg(l.ordinal) FILTER (WHERE p_org IS NULL OR l.org = v_org), max(l.ordinal), count(*) INTO v_found, v_last, v_count
      FROM (SELECT d.ordinal, d.org FROM device d WHERE d.holder = v_user AND d.ordinal > p_after ORDER BY d.ordinal LIMIT v_scan) l;
  ELSIF p_org IS NOT NULL THEN
    SELECT array_agg(l.ordinal), max(l.ordinal), count(*) INTO v_found, v_last, v_count
      FROM (SELECT d.ordinal FROM device d WHERE d.org = v_org AND d.ordinal > p_after ORDER BY d.ordinal LIMIT v_scan) l;
  ELSIF p_online THEN
    SELECT array_agg(l.ordinal) FILTER (WHERE l.node IS NOT NULL), max(l.ordinal), count(*) INTO v_found, v_last, v_count
      FROM (SELECT s.ordinal, s.node FROM session s WHERE s.ordinal > p_after ORDER BY s.ordinal LIMIT v_scan) l;
  ELSE
    SELECT array_agg(l.ordinal), max(l.ordinal), count(*) INTO v_found, v_last, v_count
      FROM (SELECT d.ordinal FROM device d WHERE d.ordinal > p_after ORDER BY d.ordinal LIMIT v_scan) l;
  END IF;
  RETURN QUERY SELECT r.*, NULL::bigint FROM device_rows(p_now, v_found, v_scope, p_online, p_limit) r;
  place := CASE WHEN v_count = v_scan THEN v_last END;
  RETURN NEXT;
END
$$;

-- How many devices of organisations are connected to a node, where that has changed. A process tells for the first time when it has come:
-- what those have told that are gone for good goes.
CREATE OR REPLACE FUNCTION tell_online_1(p_now bigint, p_node integer, p_is_first boolean, p_org integer[], p_devices integer[]) RETURNS void
  LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF p_is_first THEN
    PERFORM take_lane(p_now);
    DELETE FROM online o WHERE NOT EXISTS (SELECT 1 FROM node n WHERE n.node = o.node AND n.lease > 0);
  END IF;
  INSERT INTO online AS o (org, node, devices)
  SELECT u.org, p_node, u.devices FROM unnest(p_org, p_devices) AS u(org, devices)
  WHERE EXISTS (SELECT 1 FROM node n WHERE n.node = p_node AND n.lease > 0) ORDER BY u.org
  ON CONFLICT (org, node) DO UPDATE SET devices = excluded.devices;
END
$$;
