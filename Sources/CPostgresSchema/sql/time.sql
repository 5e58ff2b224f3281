-- The lane's order, and the time that everybody goes by. All functions are in PL/pgSQL: it keeps their plans.

-- Takes the lane: until the call's commit is on the standby, no other call takes a position. A statement of its own, so that what
-- follows sees everything that was committed before.
CREATE OR REPLACE FUNCTION take_lane() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(1886613553, 0);
  PERFORM follow_timeline();
END
$$;

-- The newest position.
CREATE OR REPLACE FUNCTION head() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN coalesce((SELECT seq FROM log ORDER BY seq DESC LIMIT 1), 0);
END
$$;

-- The wall clock, in Unix milliseconds.
CREATE OR REPLACE FUNCTION wall() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN extract(epoch FROM clock_timestamp()) * 1000;
END
$$;

-- Store time; it does not fall, also where the wall clock was set back and nobody has noticed yet.
CREATE OR REPLACE FUNCTION store_time(wall bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN (SELECT greatest(wall + shift, (SELECT created FROM log ORDER BY seq DESC LIMIT 1)) FROM clock);
END
$$;

-- Wakes the nodes that listen, where the log has rested: while it goes on they look by themselves, and a bell for each commit would cost
-- more than the commit. `p_last` is when its last row was made.
CREATE OR REPLACE FUNCTION ring(p_now bigint, p_last bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF p_last IS NULL OR p_now - p_last > 20 THEN
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
