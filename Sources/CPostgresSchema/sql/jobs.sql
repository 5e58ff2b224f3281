-- What changes of the directory have still to do. A node reads what a slice needs, decides it by the same rules as every other store,
-- and writes it by one call. Any node that lives may: a call that was decided by what another one has done meanwhile writes nothing.
--
-- Between two slices the directory stands still, as no change of organisations or devices is taken while there is a job. So what is read
-- for a slice still holds when it is written; what does change meanwhile (ends of tasks, acknowledgements) is looked at by the call itself.

-- The first jobs, in their order.
CREATE OR REPLACE FUNCTION jobs_1(p_limit integer, OUT number bigint, OUT pos bigint, OUT kind integer, OUT subject bigint,
  OUT object bigint, OUT place bigint)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT j.number, j.position, j.kind::integer, j.subject, j.object, j.place FROM job j ORDER BY j.number LIMIT p_limit;
END
$$;

-- Which of some jobs, by their numbers in the arrays, have anything to do, as far as one look tells: of most devices that come there is
-- nothing. By keys alone, as the sessions that ask are told to (see PostgresStore.Options): an EXISTS could be answered by all of a table.
CREATE OR REPLACE FUNCTION with_work(p_kind integer[], p_subject bigint[]) RETURNS SETOF integer LANGUAGE plpgsql VOLATILE ROWS 10 AS $$
BEGIN
  RETURN QUERY
  WITH job AS MATERIALIZED (
    SELECT u.kind, u.subject, u.n::integer FROM unnest(p_kind, p_subject) WITH ORDINALITY AS u(kind, subject, n)
  ), targeted AS (
    -- What a configuration may be for that would then be theirs, too.
    SELECT j.n, 3 AS kind, o.org_id AS target FROM job j
    CROSS JOIN LATERAL (SELECT x.path[2:] AS path FROM org x WHERE j.kind = 1 AND x.org = j.subject OFFSET 0) m
    CROSS JOIN LATERAL unnest(m.path) AS above(org)
    CROSS JOIN LATERAL (SELECT x.org_id FROM org x WHERE x.org = above.org OFFSET 0) o
    UNION ALL
    SELECT j.n, t.kind, t.target FROM job j
    CROSS JOIN LATERAL (SELECT x.token, x.holder, x.org FROM device x WHERE j.kind = 4 AND x.ordinal = j.subject OFFSET 0) d
    CROSS JOIN LATERAL (
      SELECT 1 AS kind, d.token AS target
      UNION ALL
      SELECT 2, h.user_id FROM (SELECT x.user_id FROM holder x WHERE x.holder = d.holder OFFSET 0) h
      UNION ALL
      SELECT 3, o.org_id FROM (SELECT x.path FROM org x WHERE x.org = d.org OFFSET 0) m CROSS JOIN LATERAL unnest(m.path) AS above(org)
      CROSS JOIN LATERAL (SELECT x.org_id FROM org x WHERE x.org = above.org OFFSET 0) o) t
    UNION ALL
    SELECT j.n, 3, o.org_id FROM job j
    CROSS JOIN LATERAL (SELECT x.org_id FROM org x WHERE j.kind = 8 AND x.org = j.subject OFFSET 0) o
  )
  SELECT j.n FROM job j WHERE j.kind NOT IN (1, 4, 8)
  UNION
  SELECT t.n FROM targeted t
  CROSS JOIN LATERAL (SELECT 1 FROM current_config k WHERE k.target_kind = t.kind AND k.target = t.target LIMIT 1) k
  UNION
  -- An organisation that moves brings what is for users and devices inside of those that it comes below.
  SELECT j.n FROM job j
  CROSS JOIN LATERAL (SELECT x.path[2:] AS path FROM org x WHERE j.kind = 1 AND x.org = j.subject OFFSET 0) m
  CROSS JOIN LATERAL unnest(m.path) AS above(org)
  CROSS JOIN LATERAL (SELECT 1 FROM current_config k WHERE k.within = above.org LIMIT 1) k;
END
$$;

-- Current configurations of some targets, or, where `p_within` is not NULL, of apps whose scope is that organisation: those after and
-- before a position, oldest first.
CREATE OR REPLACE FUNCTION configurations_1(p_n integer[], p_kind integer[], p_target bytea[], p_within integer[], p_after bigint[],
  p_before bigint, p_limit integer, OUT n integer, OUT seq bigint, OUT kind integer, OUT target bytea, OUT test boolean, OUT within integer)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT u.n, k.seq, k.target_kind::integer, k.target, k.test, k.within
  FROM unnest(p_n, p_kind, p_target, p_within, p_after) AS u(n, kind, target, within, after)
  CROSS JOIN LATERAL (
    (SELECT c.* FROM current_config c WHERE u.within IS NULL AND c.target_kind = u.kind AND c.target = u.target AND c.seq > u.after
      AND c.seq < p_before ORDER BY c.seq LIMIT p_limit)
    UNION ALL
    (SELECT c.* FROM current_config c WHERE c.within = u.within AND c.seq > u.after AND c.seq < p_before ORDER BY c.seq LIMIT p_limit)) k;
END
$$;

-- Tasks, as far as it decides whom they are for.
CREATE OR REPLACE FUNCTION audiences_1(p_now bigint, p_seq bigint[], OUT seq bigint, OUT kind integer, OUT target bigint, OUT flags integer,
  OUT within integer, OUT is_open boolean)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT l.seq, l.kind::integer, l.target, l.flags::integer, l.within, l.status = 0 AND (l.expires IS NULL OR l.expires > p_now)
  FROM log l WHERE l.seq = ANY (p_seq) AND l.kind <= 1;
END
$$;

-- What the store has marked itself of some tasks and chunks.
CREATE OR REPLACE FUNCTION marks_1(p_seq bigint[], p_chunk integer[], OUT seq bigint, OUT mark integer, OUT chunk integer, OUT bits bytea)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT m.seq, m.mark::integer, m.chunk, m.bits FROM unnest(p_seq, p_chunk) AS u(seq, chunk)
  CROSS JOIN LATERAL (
    SELECT * FROM mark x WHERE x.seq = u.seq AND x.mark = ANY (ARRAY[1, 2, 3]::smallint[]) AND x.chunk = u.chunk OFFSET 0) m;
END
$$;

-- The devices of some organisations, of each after one of its devices: in the order of the organisations and of their numbers, and in
-- the columns of histories_1, with everything that is known of their past.
CREATE OR REPLACE FUNCTION members_1(p_org integer[], p_after bigint[], p_limit integer,
  OUT ordinal bigint, OUT token bytea, OUT platform integer, OUT created_seq bigint, OUT retired_seq bigint, OUT org integer,
  OUT org_since bigint, OUT holder bigint, OUT holder_since bigint, OUT test boolean, OUT test_since bigint,
  OUT past_org integer[], OUT past_org_from bigint[], OUT past_org_to bigint[], OUT past_test_from bigint[], OUT past_test_to bigint[])
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  v_ordinals bigint[] := '{}';
BEGIN
  FOR v_index IN 1..cardinality(p_org) LOOP
    v_ordinals := v_ordinals || ARRAY(
      SELECT d.ordinal FROM device d
      WHERE d.org = p_org[v_index] AND d.ordinal > p_after[v_index] AND d.retired_seq = 9223372036854775807
      ORDER BY d.ordinal LIMIT p_limit - cardinality(v_ordinals));
    EXIT WHEN cardinality(v_ordinals) >= p_limit;
  END LOOP;
  RETURN QUERY
  SELECT h.* FROM unnest(v_ordinals) WITH ORDINALITY AS u(ordinal, n)
  JOIN histories_1(v_ordinals, array_fill(0::bigint, ARRAY[cardinality(v_ordinals)])) h ON h.ordinal = u.ordinal ORDER BY u.n;
END
$$;

-- A user's devices, and how far a device is.
CREATE OR REPLACE FUNCTION devices_of_1(p_holder bigint, p_after bigint, p_limit integer) RETURNS SETOF bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY SELECT d.ordinal FROM device d
  WHERE d.holder = p_holder AND d.ordinal > p_after AND d.retired_seq = 9223372036854775807 ORDER BY d.ordinal LIMIT p_limit;
END
$$;
CREATE OR REPLACE FUNCTION progress_1(p_ordinal bigint, OUT cursor bigint, OUT beyond bigint[])
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT s.cursor, s.beyond FROM session s WHERE s.ordinal = p_ordinal;
END
$$;

-- Users' names.
CREATE OR REPLACE FUNCTION holders_1(p_holder bigint[], OUT holder bigint, OUT user_id bytea) RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT h.holder, h.user_id FROM holder h WHERE h.holder = ANY (p_holder);
END
$$;

-- Rows of some targets strictly between two positions, oldest first, as far as it decides for whom they are pending.
-- `task_target`: whom the task was for.
CREATE OR REPLACE FUNCTION candidates_1(p_now bigint, p_n integer[], p_target bigint[], p_after bigint[], p_before bigint[], p_limit integer,
  OUT n integer, OUT seq bigint, OUT task bigint, OUT kind integer, OUT target bigint, OUT flags integer, OUT within integer,
  OUT is_open boolean, OUT task_target bigint)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT u.n, l.seq, coalesce(l.ref, l.seq), l.kind::integer, l.target, l.flags::integer, l.within,
    coalesce(t.status, l.status) = 0 AND (l.expires IS NULL OR l.expires > p_now), coalesce(t.target, l.target)
  FROM unnest(p_n, p_target, p_after, p_before) AS u(n, target, after, before)
    CROSS JOIN LATERAL (
      SELECT * FROM log l WHERE l.target = u.target AND l.seq > u.after AND l.seq < u.before AND l.kind <= 2
      ORDER BY l.seq LIMIT p_limit) l
    LEFT JOIN LATERAL (SELECT * FROM log r WHERE r.seq = l.ref OFFSET 0) t ON true;
END
$$;

-- A slice. The jobs that it is of, where they stand now and where then (NULL: done); jobs that come before the rest; whole bitmaps (NULL: none);
-- devices that a task is withdrawn from unless they have acknowledged it, with the bitmap that tells it (chunk -1: the device of a
-- unicast); references to tasks that have not ended, in their order, and tasks that end.
-- `is_done` is false where another node was faster. `head` is what every node has to apply.
CREATE OR REPLACE FUNCTION follow_up_1(
  p_now bigint, p_number bigint[], p_from bigint[], p_to bigint[],
  p_position bigint[], p_kind integer[], p_subject bigint[], p_object bigint[], p_place bigint[],
  p_mark_seq bigint[], p_mark integer[], p_mark_chunk integer[], p_mark_bits bytea[],
  p_withdrawn bigint[], p_withdrawn_chunk integer[], p_withdrawn_low integer[], p_withdrawn_bits bytea[],
  p_ref bigint[], p_ref_target bigint[], p_ref_within integer[],
  p_cancelled bigint[],
  OUT is_done boolean, OUT head bigint)
  LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  v_now bigint;
  v_head bigint;
  v_count bigint;
BEGIN
  PERFORM take_lane(p_now);
  v_now := store_time(p_now);
  v_head := head();
  head := v_head;
  is_done := (SELECT count(*) FROM unnest(p_number, p_from) AS u(number, place)
    CROSS JOIN LATERAL (SELECT x.place FROM job x WHERE x.number = u.number OFFSET 0) j WHERE j.place = u.place) = cardinality(p_number);
  IF NOT is_done THEN
    RETURN;
  END IF;
  DELETE FROM job WHERE number = ANY (ARRAY(SELECT u.number FROM unnest(p_number, p_to) AS u(number, place) WHERE u.place IS NULL));
  UPDATE job j SET place = u.place FROM unnest(p_number, p_to) AS u(number, place)
    CROSS JOIN LATERAL (SELECT x.ctid AS here FROM job x WHERE x.number = u.number OFFSET 0) f WHERE j.ctid = f.here AND u.place IS NOT NULL;
  IF cardinality(p_kind) > 0 THEN
    INSERT INTO job (position, kind, subject, object, place)
    SELECT u.position, u.kind, u.subject, u.object, u.place
    FROM unnest(p_position, p_kind, p_subject, p_object, p_place) WITH ORDINALITY AS u(position, kind, subject, object, place, n) ORDER BY u.n;
  END IF;

  IF cardinality(p_mark_seq) > 0 THEN
    INSERT INTO mark AS m (seq, mark, chunk, bits)
    SELECT u.seq, u.mark, u.chunk, u.bits FROM unnest(p_mark_seq, p_mark, p_mark_chunk, p_mark_bits) AS u(seq, mark, chunk, bits)
    WHERE u.bits IS NOT NULL
    ON CONFLICT (seq, mark, chunk) DO UPDATE SET bits = excluded.bits;
    DELETE FROM mark WHERE ctid = ANY (ARRAY(
      SELECT m.ctid FROM unnest(p_mark_seq, p_mark, p_mark_chunk, p_mark_bits) AS u(seq, mark, chunk, bits)
      CROSS JOIN LATERAL (SELECT x.ctid FROM mark x WHERE x.seq = u.seq AND x.mark = u.mark AND x.chunk = u.chunk OFFSET 0) m
      WHERE u.bits IS NULL));
  END IF;

  IF cardinality(p_withdrawn) > 0 THEN
    -- Alone from here to the commit: what is acknowledged later is so of something that was withdrawn.
    PERFORM pg_advisory_xact_lock(1886613553, 1);
    INSERT INTO mark AS m (seq, mark, chunk, bits)
    SELECT u.seq, 2, u.chunk, u.bits
    FROM unnest(p_withdrawn, p_withdrawn_chunk, p_withdrawn_low, p_withdrawn_bits) AS u(seq, chunk, low, bits)
    WHERE NOT EXISTS (
      SELECT 1 FROM receipt r WHERE r.seq = u.seq AND r.mark = ANY (ARRAY[0, 1, 4]::smallint[]) AND r.chunk = u.chunk
        AND (r.bits IS NULL OR has_member(r.bits, u.low)) OFFSET 0)
    ON CONFLICT (seq, mark, chunk) DO UPDATE SET bits = excluded.bits;
  END IF;

  IF cardinality(p_ref) > 0 THEN
    INSERT INTO log (seq, target, created, expires, wall_offset, app, within, kind, flags, ref)
    SELECT v_head + row_number() OVER (ORDER BY u.n), u.target, v_now, l.expires, l.wall_offset, l.app, u.within, 2, l.flags, l.seq
    FROM unnest(p_ref, p_ref_target, p_ref_within) WITH ORDINALITY AS u(ref, target, within, n)
    CROSS JOIN LATERAL (SELECT * FROM log x WHERE x.seq = u.ref AND x.status = 0 AND (x.expires IS NULL OR x.expires > v_now) OFFSET 0) l;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_head := v_head + v_count;
    IF v_count > 0 THEN
      -- Every node tells when it has come so far.
      v_head := v_head + 1;
      INSERT INTO log (seq, target, created, kind) VALUES (v_head, 0, v_now, 14);
    END IF;
  END IF;

  IF cardinality(p_cancelled) > 0 THEN
    WITH ended AS (
      UPDATE log SET status = 1, ended_at = v_now
      WHERE seq = ANY (p_cancelled) AND status = 0 AND (expires IS NULL OR expires > v_now) RETURNING seq
    )
    INSERT INTO log (seq, target, created, kind, ref) SELECT v_head + row_number() OVER (ORDER BY e.seq), 0, v_now, 3, e.seq FROM ended e;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_head := v_head + v_count;
    DELETE FROM current_config WHERE seq = ANY (p_cancelled);
  END IF;
  IF v_head > head THEN
    PERFORM pg_notify('psp', '');
    head := v_head;
  END IF;
END
$$;
