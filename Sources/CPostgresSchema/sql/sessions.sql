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
  SELECT r.n::integer, d.ordinal, d.salt, d.hash, d.certificate, d.org, d.org_since, d.holder, d.holder_since, d.platform::integer, d.test, d.test_since, d.created_seq, s.version
  FROM unnest(p_token, p_token_hash) WITH ORDINALITY AS r(token, hash, n)
  JOIN device d ON d.token_hash = r.hash AND d.token = r.token AND d.retired_seq = 9223372036854775807
  JOIN session s ON s.ordinal = d.ordinal;
END
$$;

-- Takes some devices for connections of a node, unless another node that lives has them.
-- `outcome`: 0 taken; 1 another node's, whose connection has to give way (see displace_1); 2 the device has changed meanwhile.
-- `doubtful_to`: as far as that the device may have acknowledged more than its cursor tells, as a connection before was not ended; NULL
-- where none.
-- A node that is back after the database was away to it names as `p_since` when it was there last, in store time: nobody could renew a lease
-- since, so one that held then does not tell yet who has died.
CREATE OR REPLACE FUNCTION claim_1(p_now bigint, p_node integer, p_ordinal bigint[], p_session bigint[], p_version integer[], p_since bigint,
  OUT n integer, OUT outcome integer, OUT cursor bigint, OUT beyond bigint[], OUT doubtful_to bigint)
  RETURNS SETOF record LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  v_now bigint := store_time(p_now);
  v_head bigint;
BEGIN
  PERFORM check_clock(p_now, 2000);
  PERFORM check_node(p_node);
  -- In the order of ordinals, so that two nodes do not wait for each other. What is looked at afterwards is as it is when the rows are
  -- locked: a node that has one of them by then may have joined meanwhile.
  PERFORM 1 FROM (SELECT * FROM unnest(p_ordinal) AS u(ordinal) ORDER BY u.ordinal) r
  JOIN session s ON s.ordinal = r.ordinal
  FOR UPDATE OF s;
  -- No connection before was told of more than this.
  v_head := head();
  RETURN QUERY
  WITH request AS MATERIALIZED (
    SELECT r.n::integer, r.ordinal, r.session, r.version AS wanted, s.version, s.cursor, s.beyond,
      CASE WHEN s.node IS NOT NULL AND s.session IS DISTINCT FROM r.session THEN v_head ELSE s.doubtful_to END AS doubtful_to,
      s.node IS NULL OR s.node = p_node OR s.session IS NULL
        OR NOT EXISTS (SELECT 1 FROM node o WHERE o.node = s.node AND o.lease > least(v_now, p_since)) AS is_free
    FROM (SELECT * FROM unnest(p_ordinal, p_session, p_version) WITH ORDINALITY AS u(ordinal, session, version, n) ORDER BY u.ordinal) r
    JOIN session s ON s.ordinal = r.ordinal
  ), taken AS (
    UPDATE session s SET node = p_node, session = r.session, seen = wall(), successor = NULL, successor_node = NULL,
      doubtful_to = r.doubtful_to
    FROM request r WHERE s.ordinal = r.ordinal AND r.version = r.wanted AND r.is_free
  )
  SELECT r.n, CASE WHEN r.version <> r.wanted THEN 2 WHEN NOT r.is_free THEN 1 ELSE 0 END::integer, r.cursor, r.beyond,
    CASE WHEN r.doubtful_to > r.cursor THEN r.doubtful_to END
  FROM request r;
END
$$;

-- Ends some connections of a node: how far each device was. One for which another connection waits is not ended by this, and told.
CREATE OR REPLACE FUNCTION detach_1(p_node integer, p_ordinal bigint[], p_session bigint[], p_cursor bigint[],
  p_beyond_of bigint[], p_beyond bigint[])
  RETURNS SETOF bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN QUERY
  WITH request AS MATERIALIZED (
    SELECT r.ordinal, r.cursor, s.successor
    FROM (SELECT * FROM unnest(p_ordinal, p_session, p_cursor) AS u(ordinal, session, cursor) ORDER BY u.ordinal) r
    JOIN session s ON s.ordinal = r.ordinal AND s.node = p_node AND s.session = r.session
    FOR UPDATE OF s
  ), ended AS (
    UPDATE session s SET node = NULL, session = NULL, seen = wall(), cursor = greatest(s.cursor, r.cursor),
      beyond = beyond_of(s.ordinal, s.beyond, greatest(s.cursor, r.cursor), p_beyond_of, p_beyond)
    FROM request r WHERE s.ordinal = r.ordinal AND r.successor IS NULL
  )
  SELECT r.ordinal FROM request r WHERE r.successor IS NOT NULL;
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
