-- Who lives. A node delivers while it has a lease, of which it counts less than it has (clocks may differ by what check_clock lets pass),
-- and from before it asked; who waits for every node waits for those
-- whose lease holds.

-- How long a lease is, in milliseconds.
CREATE OR REPLACE FUNCTION lease_length() RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT 5000::bigint $$;

-- The number of the history that this server writes: another one after each promotion.
CREATE OR REPLACE FUNCTION timeline() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint;
END
$$;

-- A process comes. `node` is NULL where another one of that name lives. It knows no time by which the clock could be checked: a clock that
-- was set a moment ago has every lease look lapsed. So where nodes seem to have died (`is_sure` is false, and nothing is done) it comes
-- again a little later with the shift that it has found (`p_shift`): one that lives has made up for the clock by then.
CREATE OR REPLACE FUNCTION join_1(p_name text, p_version text, p_shift bigint,
  OUT node integer, OUT now bigint, OUT wall bigint, OUT head bigint, OUT shift bigint, OUT is_sure boolean)
  LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
BEGIN
  -- Who fills the database has the lane until it is whole.
  IF NOT pg_try_advisory_xact_lock_shared(1886613553, 4) THEN
    RAISE EXCEPTION 'pspctl store copy fills the database: this node waits until that is done';
  END IF;
  PERFORM pg_advisory_xact_lock(1886613553, 0);
  wall := wall();
  shift := (SELECT c.shift FROM clock c);
  is_sure := p_shift IS NOT DISTINCT FROM shift
    OR NOT EXISTS (SELECT 1 FROM node n WHERE n.lease > 0 AND n.lease NOT BETWEEN wall + join_1.shift AND wall + join_1.shift + 2 * lease_length());
  IF NOT is_sure THEN
    RETURN;
  END IF;
  -- Nobody who lives has noticed it: the clock went back while nobody did.
  IF wall + shift < last_made() AND NOT EXISTS (SELECT 1 FROM node n WHERE n.lease > wall + join_1.shift) THEN
    shift := last_made() - wall;
    UPDATE clock c SET shift = join_1.shift, steps = c.steps + 1, set_at = last_made(), lowest = least(c.lowest, join_1.shift),
      highest = greatest(c.highest, join_1.shift);
  END IF;
  now := wall + shift;
  PERFORM follow_timeline(now);
  head := head();
  IF EXISTS (SELECT 1 FROM node n WHERE n.name = p_name AND n.lease > store_time(join_1.now)) THEN
    RETURN;
  END IF;
  PERFORM 1 FROM node n WHERE n.name = p_name AND n.lease > 0 ORDER BY n.node FOR UPDATE;
  UPDATE node n SET lease = 0 WHERE n.name = p_name AND n.lease > 0;
  INSERT INTO node AS n (name, lease, head, applied, version, started)
  VALUES (p_name, store_time(join_1.now) + lease_length(), join_1.head, join_1.head, p_version, store_time(join_1.now))
  RETURNING n.node INTO node;
  -- This waits for the standby.
  IF confirmed_to() IS NULL THEN
    INSERT INTO confirmed (last) VALUES (join_1.head);
  END IF;
END
$$;

-- A node lives on. `outcome`: 0 it does; 1 its loops have not applied yet what stood at its last renewal; 2 it was taken for dead, and its
-- name was given to another process; 3 the clock was set (see check_clock), and nothing is done. `now` is by the clock alone, as store
-- time is before it is kept from falling.
CREATE OR REPLACE FUNCTION renew_1(p_node integer, p_now bigint, p_applied bigint, p_sessions integer, p_draining boolean,
  OUT outcome integer, OUT now bigint, OUT wall bigint, OUT head bigint, OUT shift bigint)
  LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  v_is_renewed boolean;
  v_confirmed bigint;
BEGIN
  wall := wall();
  shift := (SELECT c.shift FROM clock c);
  now := wall + shift;
  IF abs(now - p_now) > 2000 THEN
    outcome := 3;
    RETURN;
  END IF;
  -- The lane first, as whoever follows a timeline changes all nodes' rows.
  IF timeline() <> (SELECT timeline FROM clock) THEN
    PERFORM take_lane(p_now);
  END IF;
  head := head();
  UPDATE node n SET lease = store_time(renew_1.now) + lease_length(), head = renew_1.head, applied = p_applied, sessions = p_sessions,
    draining = p_draining
  WHERE n.node = p_node AND n.lease > 0 AND p_applied >= n.head;
  v_is_renewed := FOUND;
  -- Of a batch whose call was ended before it had waited for the standby, or after a crash: this does so at its end, for whatever it has
  -- seen.
  v_confirmed := confirmed_to();
  IF v_confirmed IS NULL OR EXISTS (SELECT 1 FROM unconfirmed u WHERE u.last > v_confirmed AND abs(wall - u.since) > 1000) THEN
    INSERT INTO confirmed (last) VALUES (renew_1.head);
    PERFORM await_standby();
  END IF;
  DELETE FROM unconfirmed u WHERE u.ctid = ANY (ARRAY(
    SELECT x.ctid FROM unconfirmed x WHERE x.last < v_confirmed ORDER BY x.last LIMIT 2000 FOR UPDATE SKIP LOCKED));
  DELETE FROM confirmed c WHERE c.ctid = ANY (ARRAY(
    SELECT x.ctid FROM confirmed x WHERE x.last < v_confirmed ORDER BY x.last LIMIT 2000 FOR UPDATE SKIP LOCKED));
  outcome := CASE WHEN v_is_renewed THEN 0 WHEN EXISTS (SELECT 1 FROM node n WHERE n.node = p_node AND n.lease > 0) THEN 1 ELSE 2 END;
END
$$;

-- On a new timeline some positions may have been seen that were never acknowledged, and are given again: so they jump, and every loop reads
-- what it knows again. How far is drawn, and versions of configurations follow the wall clock: who goes back to one backup twice, or to
-- before a promotion, gives no task an id, nor a configuration a version, that devices know already. No lease ends before a whole one has
-- passed. Who calls it has the lane.
CREATE OR REPLACE FUNCTION follow_timeline(p_now bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_now bigint;
BEGIN
  UPDATE clock SET timeline = timeline() WHERE timeline <> timeline();
  IF FOUND THEN
    v_now := store_time(p_now);
    INSERT INTO log (seq, target, created, kind)
    VALUES (head() + 4294967296 + ('x' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 8))::bit(32)::bigint, 0, v_now, 13);
    UPDATE meta SET value = greatest(value + 4294967296, wall() << 10) WHERE key = 'configuration_version';
    -- In the order in which claims lock them.
    PERFORM 1 FROM node WHERE lease > 0 ORDER BY node FOR UPDATE;
    UPDATE node SET lease = greatest(lease, v_now + lease_length()) WHERE lease > 0;
  END IF;
END
$$;

-- Refuses what a process does that has no lease, as another one has its name, or nobody waits for it any more: its number is not told.
CREATE OR REPLACE FUNCTION check_node(p_node integer) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM node WHERE node = p_node AND lease > 0) THEN
    RAISE EXCEPTION 'node % has no lease', p_node;
  END IF;
END
$$;

-- A node goes in good order: nobody waits for it any more.
CREATE OR REPLACE FUNCTION leave_1(p_node integer) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  UPDATE node SET lease = 0 WHERE node = p_node;
END
$$;

-- Who lives, and who has ended within a day without leaving. `started` is of the wall clock; `lease` what is left of it, in milliseconds.
CREATE OR REPLACE FUNCTION nodes_1(OUT node integer, OUT name text, OUT version text, OUT started bigint, OUT lease bigint, OUT lag bigint,
  OUT sessions integer, OUT draining boolean)
  RETURNS SETOF record LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  v_wall bigint := wall();
  v_now bigint := store_time(v_wall + (SELECT c.shift FROM clock c));
BEGIN
  RETURN QUERY
  SELECT n.node, n.name, n.version, n.started + (v_wall - v_now), n.lease - v_now, greatest(n.head - n.applied, 0), n.sessions,
    n.draining
  FROM node n WHERE n.lease > 0 AND n.lease > v_now - 86400000 ORDER BY n.name, n.node LIMIT 1000;
END
$$;

-- The schema's version, by which a program judges whether it may join, and the digest of these scripts as they were when it was brought
-- to that version: two builds of one version may differ.
CREATE OR REPLACE FUNCTION schema_1(OUT version bigint, OUT functions bigint) LANGUAGE plpgsql STABLE AS $$
BEGIN
  version := (SELECT value FROM meta WHERE key = 'schema_version');
  functions := (SELECT value FROM meta WHERE key = 'functions');
END
$$;
