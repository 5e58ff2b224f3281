-- The lane's order, and the time that everybody goes by. All functions are in PL/pgSQL: it keeps their plans.
--
-- A plan is kept while tables grow: of one that was empty a moment ago the planner thinks that it is read whole as quickly as one row of
-- it is found, and a join with it goes on reading it whole. So what is looked up by keys that a call brings is joined by LATERAL with
-- OFFSET 0, which leaves no other way than key by key, and what is written was looked up by its `ctid` before.

-- Takes the lane: until the call is committed no other takes a position, and that waits for the standby, except for pushes (append_2). A
-- statement of its own, so that what follows sees everything that was committed before. `p_now` is the time by the caller's own clock; see
-- check_clock.
CREATE OR REPLACE FUNCTION take_lane(p_now bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM check_clock(p_now, 2000);
  PERFORM pg_advisory_xact_lock(1886613553, 0);
  PERFORM follow_timeline(p_now);
  -- Somebody may have set the clock while the call waited, which it does not for longer than this.
  PERFORM check_clock(p_now, 10000);
END
$$;

-- Whoever decides by the time brings its own clock's, which nobody sets: where the database's clock says otherwise, it was set, or has
-- become another server's. The call fails as if it had not been made, and its node makes up for it (follow_clock_1) before it calls
-- again. So nothing is decided by a clock that jumped, not even in the first moment.
CREATE OR REPLACE FUNCTION check_clock(p_now bigint, p_tolerance bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF abs(wall() + (SELECT shift FROM clock) - p_now) > p_tolerance THEN
    RAISE EXCEPTION 'the clock was set' USING ERRCODE = 'PSCLK';
  END IF;
END
$$;

-- The clock was found set by a node that knew it as of a shift: store time goes on as if it had not been. Nothing where another node
-- was faster. Where other nodes' leases look as if they were renewed by this clock, it may be the node's own that has stood still, as one
-- does while its machine does: then nothing is done, and the node calls again a little later with the latest of them (`seen`). If one was
-- renewed meanwhile, they live, and it is.
CREATE OR REPLACE FUNCTION follow_clock_1(p_node integer, p_shift bigint, p_new bigint, p_seen bigint, OUT is_followed boolean, OUT seen bigint)
  LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
BEGIN
  PERFORM pg_advisory_xact_lock(1886613553, 0);
  seen := (SELECT max(n.lease) FROM node n
    WHERE n.node <> p_node AND n.lease BETWEEN wall() + p_shift AND wall() + p_shift + lease_length() + 1000);
  is_followed := seen IS NULL OR coalesce(seen <= p_seen, false);
  IF is_followed THEN
    UPDATE clock SET shift = p_new, steps = steps + 1, set_at = wall() + p_new, lowest = least(lowest, p_new),
      highest = greatest(highest, p_new)
    WHERE shift = p_shift;
  END IF;
END
$$;

-- How the wall clock and store time stand, and when the clock was found set last.
CREATE OR REPLACE FUNCTION clock_state_1(OUT wall bigint, OUT steps integer, OUT set_at bigint) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
BEGIN
  wall := wall();
  SELECT c.steps, c.set_at INTO steps, set_at FROM clock c;
END
$$;

-- The wall clock is right: store time goes forward to it, and leases with it. Nothing where it is not ahead. Returns whether the directory
-- is of the version by which an operator may say so.
CREATE OR REPLACE FUNCTION accept_clock_1(p_now bigint, p_expected bigint, p_audit bytea[]) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_leap bigint;
BEGIN
  PERFORM take_lane(p_now);
  IF p_expected <> (SELECT value FROM meta WHERE key = 'directory_version') THEN
    RETURN false;
  END IF;
  PERFORM write_audit(p_audit, NULL, NULL, store_time(p_now));
  v_leap := -(SELECT shift FROM clock);
  IF v_leap > 0 THEN
    UPDATE clock SET shift = 0, set_at = NULL;
    PERFORM 1 FROM node WHERE lease > 0 ORDER BY node FOR UPDATE;
    UPDATE node SET lease = lease + v_leap WHERE lease > 0;
  END IF;
  RETURN true;
END
$$;

-- The newest position.
CREATE OR REPLACE FUNCTION head() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN coalesce((SELECT seq FROM log ORDER BY seq DESC LIMIT 1), 0);
END
$$;

-- Up to where somebody has waited for the standby; NULL since the server has crashed, or become the primary, until somebody has.
CREATE OR REPLACE FUNCTION confirmed_to() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT c.last FROM confirmed c ORDER BY c.last DESC LIMIT 1);
END
$$;

-- From where on the log may not be at the standby yet: whoever answers by pushes and writes nothing reads up to there.
CREATE OR REPLACE FUNCTION unconfirmed_from() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_confirmed bigint := confirmed_to();
BEGIN
  IF v_confirmed IS NULL THEN
    -- What a node had applied was there.
    RETURN (SELECT coalesce(max(n.applied), 0) + 1 FROM node n);
  END IF;
  RETURN coalesce((SELECT u.first FROM unconfirmed u WHERE u.last > v_confirmed ORDER BY u.last LIMIT 1), 9223372036854775807);
END
$$;

-- Has the transaction wait for the standby at its end, though it may have written nothing: whatever it has seen is there then.
CREATE OR REPLACE FUNCTION await_standby() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM pg_logical_emit_message(true, 'psp', '');
END
$$;

-- The same where the transaction has written nothing: what would have been is there already, and may not be at the standby.
CREATE OR REPLACE FUNCTION await_unwritten() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF pg_current_xact_id_if_assigned() IS NULL THEN
    PERFORM await_standby();
  END IF;
END
$$;

-- The same for who has only looked: what it has seen may be what somebody has written who could not wait for the standby.
CREATE OR REPLACE FUNCTION await_1() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM await_standby();
END
$$;

-- The wall clock, in Unix milliseconds.
CREATE OR REPLACE FUNCTION wall() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN extract(epoch FROM clock_timestamp()) * 1000;
END
$$;

-- Store time, where a clock that was checked says `p_now`: it does not fall, whatever the clocks of several nodes say.
CREATE OR REPLACE FUNCTION store_time(p_now bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN greatest(p_now, last_made());
END
$$;

-- Wakes the nodes that listen, where the log has rested for so long: while it goes on they look by themselves, and a bell for each commit
-- would cost more than the commit.
CREATE OR REPLACE FUNCTION ring_bell(p_rest bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF coalesce(p_rest > 20, true) THEN
    PERFORM pg_notify('psp', '');
  END IF;
END
$$;

-- When the log's last row was made.
CREATE OR REPLACE FUNCTION last_made() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN (SELECT created FROM log ORDER BY seq DESC LIMIT 1);
END
$$;
