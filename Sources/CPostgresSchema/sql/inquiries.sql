-- Questions of one node about a device whose connection another one has: nodes never ask each other. The question is an entry of the log,
-- which the other one is told; its answer lies in the table `reply` until the first one takes it.

-- Asks about a device's connection. Returns the number of the inquiry; NULL where nobody that lives has a connection of it.
CREATE OR REPLACE FUNCTION inquire_1(p_now bigint, p_ordinal bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_now bigint;
  v_head bigint;
BEGIN
  PERFORM take_lane(p_now);
  v_now := store_time(p_now);
  v_head := head();
  PERFORM ring_bell(v_now - last_made());
  INSERT INTO log (seq, target, created, kind, app, version)
  SELECT v_head + 1, 1::bigint << 56 | s.ordinal, v_now, 12, s.node, s.session
  FROM session s JOIN node n ON n.node = s.node AND n.lease > v_now WHERE s.ordinal = p_ordinal AND s.session IS NOT NULL;
  RETURN CASE WHEN FOUND THEN v_head + 1 END;
END
$$;

-- Answers some inquiries about one connection. What nobody has taken for a minute goes, a little with each answer.
CREATE OR REPLACE FUNCTION answer_1(p_now bigint, p_inquiry bigint[], p_positions bigint[], p_ages bigint[], p_acknowledged boolean[]) RETURNS void
  LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  INSERT INTO reply (inquiry, made, positions, ages, acknowledged)
  SELECT u.inquiry, p_now, p_positions, p_ages, p_acknowledged FROM unnest(p_inquiry) AS u(inquiry) ORDER BY u.inquiry
  ON CONFLICT (inquiry) DO NOTHING;
  DELETE FROM reply WHERE inquiry IN (
    SELECT r.inquiry FROM reply r WHERE r.made < p_now - 60000 ORDER BY r.inquiry LIMIT 100 FOR UPDATE SKIP LOCKED);
END
$$;

-- Takes the answers to an inquiry, if there is one. Nothing of this waits for a standby: the table is not in the write-ahead log.
CREATE OR REPLACE FUNCTION take_reply_1(p_inquiry bigint, OUT positions bigint[], OUT ages bigint[], OUT acknowledged boolean[])
  RETURNS SETOF record LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY DELETE FROM reply r WHERE r.inquiry = p_inquiry RETURNING r.positions, r.ages, r.acknowledged;
END
$$;

-- What a device has still to get, in the columns of tail_2 without what it says: of all targets that address it the rows strictly
-- between two positions, oldest first. Rows that have expired or ended are for nobody (`is_told` false), nor those that are settled.
CREATE OR REPLACE FUNCTION missed_1(p_now bigint, p_ordinal bigint, p_target bigint[], p_after bigint[], p_before bigint[], p_limit integer,
  OUT seq bigint, OUT is_told boolean, OUT kind integer, OUT target bigint, OUT created bigint, OUT expires bigint, OUT wall_offset bigint,
  OUT app integer, OUT within integer, OUT flags integer, OUT display integer, OUT status integer, OUT version bigint,
  OUT ref bigint, OUT body bytea, OUT tag bytea)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  v_end bigint := unconfirmed_from();
BEGIN
  RETURN QUERY
  SELECT l.seq,
    NOT (coalesce(t.status, l.status) <> 0 OR coalesce(l.expires <= p_now, false)
      OR l.kind <= 1 AND EXISTS (
        SELECT 1 FROM receipt r WHERE r.seq = l.seq AND r.mark = ANY (ARRAY[0, 1, 4]::smallint[])
          AND (l.target >> 56 = 1 AND r.bits IS NULL
            OR r.chunk = (p_ordinal >> 16)::integer AND has_member(r.bits, (p_ordinal & 65535)::integer)) OFFSET 0)),
    l.kind::integer, l.target, l.created, l.expires, l.wall_offset, l.app, l.within, l.flags::integer, NULL::integer, l.status::integer,
    l.version, l.ref, NULL::bytea, NULL::bytea
  FROM (
    SELECT x.* FROM unnest(p_target, p_after, p_before) AS u(target, after, before)
    CROSS JOIN LATERAL (
      SELECT l.* FROM log l WHERE l.target = u.target AND l.seq > u.after AND l.seq < least(u.before, v_end) AND l.kind <= 2
      ORDER BY l.seq LIMIT p_limit) x
    ORDER BY x.seq LIMIT p_limit) l
  LEFT JOIN LATERAL (SELECT r.status FROM log r WHERE r.seq = l.ref OFFSET 0) t ON true
  ORDER BY l.seq;
END
$$;

-- A device's past from a task on, in the columns of histories_1, with the names of where it belonged then, and by which reason code it
-- has rejected the task.
CREATE OR REPLACE FUNCTION explain_1(p_ordinal bigint, p_seq bigint,
  OUT ordinal bigint, OUT token bytea, OUT platform integer, OUT created_seq bigint, OUT retired_seq bigint, OUT org integer,
  OUT org_since bigint, OUT holder bigint, OUT holder_since bigint, OUT test boolean, OUT test_since bigint,
  OUT past_org integer[], OUT past_org_from bigint[], OUT past_org_to bigint[], OUT past_test_from bigint[], OUT past_test_to bigint[],
  OUT org_id bytea, OUT user_id bytea, OUT detail bytea)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT h.*, (SELECT o.org_id FROM org o WHERE o.org = org_at(p_ordinal, p_seq)),
    (SELECT u.user_id FROM holder u WHERE u.holder = h.holder),
    (SELECT v.detail FROM event v WHERE v.seq = p_seq AND v.event = 4 AND v.ordinal = p_ordinal)
  FROM histories_1(ARRAY[p_ordinal], ARRAY[p_seq]) h;
END
$$;
