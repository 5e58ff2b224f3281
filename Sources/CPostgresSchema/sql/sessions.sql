-- Which node has which device's connection. A claim does not take the lane: nobody else's rows are written, and the node counts on its
-- feed only from the first reading of the log that began after the claim was answered.

-- What a CONNECT is judged by, for some tokens; nothing for one that is not registered.
CREATE OR REPLACE FUNCTION find_devices_1(p_token bytea[], p_token_hash bigint[],
  OUT n integer, OUT ordinal bigint, OUT salt bytea, OUT hash bytea, OUT certificate bytea, OUT org integer,
  OUT org_since bigint, OUT holder bigint, OUT holder_since bigint, OUT platform integer, OUT test boolean, OUT test_since bigint,
  OUT created_seq bigint, OUT version integer)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT r.n::integer, d.ordinal, d.salt, d.hash, d.certificate, d.org, d.org_since, d.holder, d.holder_since, d.platform::integer,
    d.test, d.test_since, d.created_seq, s.version
  FROM unnest(p_token, p_token_hash) WITH ORDINALITY AS r(token, hash, n)
  CROSS JOIN LATERAL (
    SELECT * FROM device x WHERE x.token_hash = r.hash AND x.token = r.token AND x.retired_seq = 9223372036854775807 OFFSET 0) d
  CROSS JOIN LATERAL (SELECT x.version FROM session x WHERE x.ordinal = d.ordinal OFFSET 0) s;
END
$$;

-- Takes some devices for connections of a node, unless another node that lives has them.
-- `outcome`: 0 taken; 1 another node's, whose connection has to give way (see displace_1); 2 the device has changed meanwhile.
-- `doubtful_to`: as far as that the device may have acknowledged more than its cursor tells, as a connection before was not ended; NULL
-- where none. `lease`: where another node has it, for how long still if that has died, in milliseconds.
-- A node that is back after the database was away to it names as `p_since` when it was there last, in store time: nobody could renew a lease
-- since, so one that held then does not tell yet who has died.
CREATE OR REPLACE FUNCTION claim_2(p_now bigint, p_node integer, p_ordinal bigint[], p_session bigint[], p_version integer[], p_since bigint,
  OUT n integer, OUT outcome integer, OUT cursor bigint, OUT beyond bigint[], OUT doubtful_to bigint, OUT lease bigint)
  RETURNS SETOF record LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  v_wall bigint := wall();
  -- Whose lease ended by then has died.
  v_dead bigint;
  v_given integer[] := '{}';
BEGIN
  PERFORM check_clock(p_now, 2000);
  PERFORM check_node(p_node);
  v_dead := least(store_time(p_now), p_since);
  -- And may come back: it renews its lease before this takes its devices, or looks for what it has lost after it.
  IF EXISTS (SELECT 1 FROM node o WHERE o.node <> p_node AND o.lease > 0 AND o.lease <= v_dead) THEN
    v_given := ARRAY(
      SELECT o.node FROM node o WHERE o.node = ANY (ARRAY(SELECT DISTINCT s.node FROM session s WHERE s.ordinal = ANY (p_ordinal) AND s.node <> p_node))
        AND o.lease > 0 AND o.lease <= v_dead ORDER BY o.node FOR UPDATE);
  END IF;
  RETURN QUERY
  WITH request AS MATERIALIZED (
    -- The newest position and the time are looked up only where a connection before was not ended: no such one was told of more.
    SELECT r.n::integer, r.session, r.version AS wanted, s.place, s.version, s.cursor, s.beyond, s.node, s.session AS former, s.successor,
      CASE WHEN s.node IS NOT NULL AND s.session IS DISTINCT FROM r.session THEN (SELECT head()) ELSE s.doubtful_to END AS doubtful_to,
      s.node IS NULL OR s.node = p_node OR s.session IS NULL
        OR NOT EXISTS (SELECT 1 FROM node o WHERE o.node = s.node AND o.lease > 0 AND o.node <> ALL (v_given)) AS is_free
    -- In the order of ordinals, so that two nodes do not wait for each other.
    FROM (SELECT * FROM unnest(p_ordinal, p_session, p_version) WITH ORDINALITY AS u(ordinal, session, version, n) ORDER BY u.ordinal) r
    CROSS JOIN LATERAL (SELECT x.ctid AS place, x.* FROM session x WHERE x.ordinal = r.ordinal OFFSET 0) s
  ), taken AS (
    -- The row as it was looked at: one that was written meanwhile may be a node's that was not there yet. A server that has waited for
    -- somebody else's writing goes on with the row's newest version, and many do not compare its place again: so all that matters is.
    -- For one that was handed over (see hand_over_1) the next may wait already.
    UPDATE session s SET node = p_node, session = r.session, seen = v_wall, doubtful_to = r.doubtful_to,
      successor = CASE WHEN s.node = p_node AND s.session = r.session THEN s.successor END,
      successor_node = CASE WHEN s.node = p_node AND s.session = r.session THEN s.successor_node END
    FROM request r
    WHERE s.ctid = r.place AND r.version = r.wanted AND r.is_free AND s.version = r.version AND s.cursor = r.cursor
      AND s.node IS NOT DISTINCT FROM r.node AND s.session IS NOT DISTINCT FROM r.former AND s.successor IS NOT DISTINCT FROM r.successor
    RETURNING r.n
  )
  SELECT r.n, CASE WHEN r.version = r.wanted AND NOT r.is_free THEN 1 WHEN r.n IN (SELECT t.n FROM taken t) THEN 0 ELSE 2 END, r.cursor,
    r.beyond, CASE WHEN r.doubtful_to > r.cursor THEN r.doubtful_to END,
    CASE WHEN NOT r.is_free THEN (SELECT o.lease - p_now FROM node o WHERE o.node = r.node) END
  FROM request r;
END
$$;

-- Ends some connections of a node: how far each device was. One for which another connection waits is not ended by this, and told.
CREATE OR REPLACE FUNCTION detach_1(p_node integer, p_ordinal bigint[], p_session bigint[], p_cursor bigint[],
  p_beyond_of bigint[], p_beyond bigint[])
  RETURNS SETOF bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_wall bigint := wall();
  v_ended integer;
BEGIN
  WITH request AS MATERIALIZED (
    -- In the order of ordinals, so that two nodes do not wait for each other.
    SELECT r.session, r.cursor, s.place
    FROM (SELECT * FROM unnest(p_ordinal, p_session, p_cursor) AS u(ordinal, session, cursor) ORDER BY u.ordinal) r
    CROSS JOIN LATERAL (
      SELECT x.ctid AS place FROM session x
      WHERE x.ordinal = r.ordinal AND x.node = p_node AND x.session = r.session AND x.successor IS NULL OFFSET 0) s)
  UPDATE session s SET node = NULL, session = NULL, seen = v_wall, cursor = greatest(s.cursor, r.cursor),
    beyond = CASE WHEN s.beyond IS NOT NULL OR cardinality(p_beyond_of) > 0
      THEN beyond_of(s.ordinal, s.beyond, greatest(s.cursor, r.cursor), p_beyond_of, p_beyond) END
  FROM request r WHERE s.ctid = r.place AND s.node = p_node AND s.session = r.session AND s.successor IS NULL;
  GET DIAGNOSTICS v_ended = ROW_COUNT;
  -- What was left out is as it is now: another connection waits for it, or it is none of the node's.
  IF v_ended < cardinality(p_ordinal) THEN
    RETURN QUERY SELECT u.ordinal FROM unnest(p_ordinal, p_session) AS u(ordinal, session)
    CROSS JOIN LATERAL (
      SELECT 1 FROM session x WHERE x.ordinal = u.ordinal AND x.node = p_node AND x.session = u.session OFFSET 0) s;
  END IF;
END
$$;

-- Which of some connections have to end: they have no longer their devices, others wait for these, or these are retired.
CREATE OR REPLACE FUNCTION strangers_1(p_node integer, p_ordinal bigint[], p_session bigint[]) RETURNS SETOF bigint
  LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY SELECT u.ordinal FROM unnest(p_ordinal, p_session) AS u(ordinal, session)
  WHERE NOT EXISTS (
    SELECT 1 FROM session s JOIN device d ON d.ordinal = s.ordinal
    WHERE s.ordinal = u.ordinal AND s.node = p_node AND s.session = u.session AND s.successor IS NULL
      AND d.retired_seq = 9223372036854775807);
END
$$;
