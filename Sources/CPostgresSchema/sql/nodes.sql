-- Who lives. A node delivers while it has a lease, which it counts from before it asked; who waits for every node waits for those
-- whose lease holds.

-- How long a lease is, in milliseconds.
CREATE OR REPLACE FUNCTION lease_length() RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT 5000::bigint $$;

-- The number of the history that this server writes: another one after each promotion.
CREATE OR REPLACE FUNCTION timeline() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint;
END
$$;

-- A process comes. `node` is NULL where another one of that name lives.
CREATE OR REPLACE FUNCTION join_1(p_name text, p_version text, OUT node integer, OUT now bigint, OUT wall bigint, OUT head bigint)
  LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
BEGIN
  PERFORM take_lane();
  wall := wall();
  now := store_time(wall);
  head := head();
  IF EXISTS (SELECT 1 FROM node n WHERE n.name = p_name AND n.lease > join_1.now) THEN
    RETURN;
  END IF;
  UPDATE node n SET lease = 0 WHERE n.name = p_name AND n.lease > 0;
  INSERT INTO node AS n (name, lease, renewed, head, applied, version, started)
  VALUES (p_name, join_1.now + lease_length(), wall + (SELECT shift FROM clock), join_1.head, join_1.head, p_version, join_1.now)
  RETURNING n.node INTO node;
END
$$;

-- A node lives on. `p_elapsed` is the time since it renewed last, by a clock that nobody sets: where the store's time has gone
-- otherwise the database's clock was set, and the shift makes up for it. `is_renewed` is false where the node's name was given to
-- another process, since this one was taken for dead, and where its loops have not applied yet what stood at its last renewal.
CREATE OR REPLACE FUNCTION renew_1(p_node integer, p_elapsed bigint, p_applied bigint,
  OUT is_renewed boolean, OUT now bigint, OUT wall bigint, OUT head bigint)
  LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  -- By the clock alone, as store time is before it is kept from falling.
  v_time bigint;
  v_renewed bigint := (SELECT n.renewed FROM node n WHERE n.node = p_node AND n.lease > 0);
BEGIN
  wall := wall();
  v_time := wall + (SELECT shift FROM clock);
  IF abs(v_time - v_renewed - p_elapsed) > 2000 OR timeline() <> (SELECT timeline FROM clock) THEN
    -- The lane first, as whoever follows a timeline changes all nodes' rows.
    PERFORM take_lane();
    -- Another node may have made up for it meanwhile.
    v_time := wall + (SELECT shift FROM clock);
    IF abs(v_time - v_renewed - p_elapsed) > 2000 THEN
      UPDATE clock SET shift = shift - (v_time - v_renewed - p_elapsed);
      v_time := v_renewed + p_elapsed;
    END IF;
  END IF;
  now := store_time(wall);
  head := head();
  UPDATE node n SET lease = renew_1.now + lease_length(), renewed = v_time, head = renew_1.head, applied = p_applied
  WHERE n.node = p_node AND n.lease > 0 AND p_applied >= n.head;
  is_renewed := FOUND;
END
$$;

-- On a new timeline some positions may have been seen that were never acknowledged, and are given again: so they jump, and every loop reads
-- what it knows again. No lease ends before a whole one has passed. Who calls it has the lane.
CREATE OR REPLACE FUNCTION follow_timeline() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_now bigint := store_time(wall());
BEGIN
  UPDATE clock SET timeline = timeline() WHERE timeline <> timeline();
  IF FOUND THEN
    INSERT INTO log (seq, target, created, kind) VALUES (head() + 4294967296, 0, v_now, 13);
    UPDATE node SET lease = greatest(lease, v_now + lease_length()) WHERE lease > 0;
  END IF;
END
$$;

-- A node goes in good order: nobody waits for it any more.
CREATE OR REPLACE FUNCTION leave_1(p_node integer) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  UPDATE node SET lease = 0 WHERE node = p_node;
END
$$;
