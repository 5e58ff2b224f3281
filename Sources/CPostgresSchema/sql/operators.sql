-- Operators and their sessions. A node decides changes of them by what it knows of the directory as of a version, as it decides changes of
-- the directory: a change of either makes another version, so that whatever an operator may do is judged by what is so when it is done.

-- Operators of some numbers; all where none is named.
CREATE OR REPLACE FUNCTION operators_1(p_number bigint[],
  OUT number bigint, OUT name bytea, OUT display_name bytea, OUT role integer, OUT scope bytea, OUT disabled boolean, OUT password bytea,
  OUT created bigint, OUT last_login bigint)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT o.number, o.name, o.display_name, o.role::integer, o.scope, o.disabled, o.password, o.created, o.last_login
  FROM operator o WHERE cardinality(p_number) = 0 OR o.number = ANY (p_number);
END
$$;

-- Sessions of some keys; all where none is named.
CREATE OR REPLACE FUNCTION operator_sessions_1(p_key bytea[],
  OUT key bytea, OUT holder bigint, OUT created bigint, OUT expires bigint, OUT client bytea)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT s.key, s.holder, s.created, s.expires, s.client FROM operator_session s WHERE cardinality(p_key) = 0 OR s.key = ANY (p_key);
END
$$;

-- Writes what was decided, if the directory is still of that version: otherwise `head` is NULL. In this order: sessions end, an operator is
-- written (without a number it is a new one, `p_created` then NULL) or removed, a session begins, further ones end.
CREATE OR REPLACE FUNCTION change_operators_1(
  p_now bigint, p_expected bigint, p_ended bytea[],
  p_number bigint, p_name bytea, p_display_name bytea, p_role integer, p_scope bytea, p_disabled boolean, p_password bytea,
  p_last_login bigint, p_removed bigint,
  p_begun bytea, p_begun_holder bigint, p_begun_created bigint, p_begun_expires bigint, p_begun_client bytea,
  p_withdrawn bytea[], p_audit bytea[],
  OUT head bigint, OUT version bigint)
  LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  v_wall bigint;
  v_now bigint;
  v_head bigint;
  v_number bigint := coalesce(p_number, p_removed);
BEGIN
  PERFORM take_lane(p_now);
  v_wall := wall();
  v_now := store_time(p_now);
  v_head := head();
  version := (SELECT value FROM meta WHERE key = 'directory_version');
  IF version <> p_expected THEN
    RETURN;
  END IF;
  PERFORM ring_bell(v_now - last_made());
  v_head := end_operator_sessions(p_ended, v_head, v_now);
  IF p_removed IS NOT NULL THEN
    DELETE FROM operator WHERE number = p_removed;
  ELSIF p_number IS NOT NULL THEN
    UPDATE operator SET display_name = p_display_name, role = p_role, scope = p_scope, disabled = p_disabled, password = p_password,
      last_login = p_last_login WHERE number = p_number;
  ELSIF p_name IS NOT NULL THEN
    INSERT INTO operator (name, display_name, role, scope, disabled, password, created)
    VALUES (p_name, p_display_name, p_role, p_scope, p_disabled, p_password, v_wall) RETURNING number INTO v_number;
  END IF;
  IF v_number IS NOT NULL THEN
    v_head := v_head + 1;
    INSERT INTO log (seq, target, created, kind, ref) VALUES (v_head, 0, v_now, 10, v_number);
  END IF;
  IF p_begun IS NOT NULL THEN
    INSERT INTO operator_session (key, holder, created, expires, client)
    VALUES (p_begun, p_begun_holder, p_begun_created, p_begun_expires, p_begun_client)
    ON CONFLICT (key) DO UPDATE SET holder = excluded.holder, created = excluded.created, expires = excluded.expires, client = excluded.client;
    v_head := v_head + 1;
    INSERT INTO log (seq, target, created, kind, payload, body_start, body_end) VALUES (v_head, 0, v_now, 11, p_begun, 0, length(p_begun));
  END IF;
  v_head := end_operator_sessions(p_withdrawn, v_head, v_now);
  UPDATE meta SET value = v_head WHERE key = 'directory_version' AND value < v_head;
  PERFORM write_audit(p_audit, NULL, NULL, v_now);
  head := v_head;
  version := v_head;
END
$$;

-- Sessions end, one position each. Returns the head after them.
CREATE OR REPLACE FUNCTION end_operator_sessions(p_key bytea[], p_head bigint, p_now bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF cardinality(p_key) > 0 THEN
    DELETE FROM operator_session WHERE key = ANY (p_key);
    INSERT INTO log (seq, target, created, kind, payload, body_start, body_end)
    SELECT p_head + k.n, 0, p_now, 11, k.key, 0, length(k.key) FROM unnest(p_key) WITH ORDINALITY AS k(key, n);
  END IF;
  RETURN p_head + coalesce(cardinality(p_key), 0);
END
$$;

-- Ends sessions whose time is over, so many at most. Returns the head; NULL where there are none.
CREATE OR REPLACE FUNCTION end_expired_sessions_1(p_now bigint, p_limit integer) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_now bigint;
  v_head bigint;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM operator_session WHERE expires <= p_now) THEN
    RETURN NULL;
  END IF;
  PERFORM take_lane(p_now);
  v_now := store_time(p_now);
  v_head := end_operator_sessions(
    (SELECT array_agg(key) FROM (SELECT key FROM operator_session WHERE expires <= v_now LIMIT p_limit) over_time), head(), v_now);
  PERFORM ring_bell(v_now - last_made());
  UPDATE meta SET value = v_head WHERE key = 'directory_version';
  RETURN v_head;
END
$$;

-- Has the connection of a device closed that some node has. Returns the position of that, which all nodes that live have to apply; NULL
-- where there is none. `p_expected` as in change_directory_1: -1 is returned where the directory has changed.
CREATE OR REPLACE FUNCTION disconnect_1(p_now bigint, p_expected bigint, p_ordinal bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_now bigint;
  v_head bigint;
BEGIN
  PERFORM take_lane(p_now);
  IF (SELECT value FROM meta WHERE key = 'directory_version') <> p_expected THEN
    RETURN -1;
  END IF;
  v_now := store_time(p_now);
  v_head := head() + 1;
  PERFORM ring_bell(v_now - last_made());
  INSERT INTO log (seq, target, created, kind, app, version, status)
  SELECT v_head, 1::bigint << 56 | s.ordinal, v_now, 6, s.node, s.session, 2
  FROM session s WHERE s.ordinal = p_ordinal AND s.node IS NOT NULL AND s.session IS NOT NULL;
  RETURN CASE WHEN FOUND THEN v_head END;
END
$$;

-- Users by their numbers.
CREATE OR REPLACE FUNCTION user_ids_1(p_holder bigint[], OUT holder bigint, OUT user_id bytea)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT h.holder, h.user_id FROM holder h WHERE h.holder = ANY (p_holder);
END
$$;

-- Which of some users were never outside of an organisation with any of the devices that they have or had, as far as it is known. Of one
-- whose devices are all forgotten nobody can say so, nor of one that has had more than a thousand.
CREATE OR REPLACE FUNCTION users_inside_1(p_holder bigint[], p_org integer) RETURNS SETOF bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY SELECT u.holder FROM unnest(p_holder) AS u(holder) WHERE (
    SELECT count(*) BETWEEN 1 AND 1000 AND bool_and(p_org = ANY (d.path) AND NOT EXISTS (
      SELECT 1 FROM past_org p LEFT JOIN org o ON o.org = p.org AND NOT o.removed
      WHERE p.ordinal = d.ordinal AND p.to_seq > d.holder_since AND p.from_seq < d.retired_seq AND (p_org = ANY (o.path)) IS NOT TRUE))
    FROM (
      SELECT d.ordinal, d.holder_since, d.retired_seq, CASE WHEN NOT o.removed THEN o.path END AS path
      FROM device d JOIN org o ON o.org = d.org WHERE d.holder = u.holder LIMIT 1001) d);
END
$$;

-- In which version the directory is.
CREATE OR REPLACE FUNCTION directory_version_1() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT value FROM meta WHERE key = 'directory_version');
END
$$;

-- The organisations that a task is inside of.
CREATE OR REPLACE FUNCTION orgs_of_task_1(p_seq bigint) RETURNS integer[] LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT orgs_of_target(l.target, l.seq) FROM log l WHERE l.seq = p_seq AND l.kind <= 1);
END
$$;

-- How many devices of a target are connected, to whichever node that lives.
CREATE OR REPLACE FUNCTION online_1(p_now bigint, p_target bigint, p_test boolean, p_without_ios boolean) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_number bigint := p_target & 72057594037927935;
BEGIN
  PERFORM check_clock(p_now, 2000);
  RETURN (
    SELECT count(*) FROM (
      SELECT d.ordinal, d.platform, d.test FROM device d
      WHERE p_target >> 56 = 1 AND d.ordinal = v_number AND d.retired_seq = 9223372036854775807
      UNION ALL
      SELECT d.ordinal, d.platform, d.test FROM device d
      WHERE p_target >> 56 = 2 AND d.holder = v_number AND d.retired_seq = 9223372036854775807
      UNION ALL
      SELECT d.ordinal, d.platform, d.test FROM org o JOIN device d ON d.org = o.org AND d.retired_seq = 9223372036854775807
      WHERE p_target >> 56 = 3 AND v_number = ANY (o.path) AND NOT o.removed) m
    JOIN session s ON s.ordinal = m.ordinal JOIN node n ON n.node = s.node
    WHERE n.lease > p_now AND (m.test OR NOT p_test) AND (m.platform = 0 OR NOT p_without_ios));
END
$$;
