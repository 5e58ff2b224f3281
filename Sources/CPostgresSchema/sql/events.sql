-- What devices tell of tasks themselves: opened, applied, failed, and why they have not taken one.

-- What decides whether devices may tell of tasks: of each pair the task, whether the device joined it (its chunk's bitmap), and where the
-- device has belonged since, in the columns of histories_1. Nothing where there is no such task or device.
CREATE OR REPLACE FUNCTION addressed_1(p_seq bigint[], p_ordinal bigint[],
  OUT ordinal bigint, OUT token bytea, OUT platform integer, OUT created_seq bigint, OUT retired_seq bigint, OUT org integer,
  OUT org_since bigint, OUT holder bigint, OUT holder_since bigint, OUT test boolean, OUT test_since bigint,
  OUT past_org integer[], OUT past_org_from bigint[], OUT past_org_to bigint[], OUT past_test_from bigint[], OUT past_test_to bigint[],
  OUT n integer, OUT seq bigint, OUT kind integer, OUT target bigint, OUT flags integer, OUT within integer, OUT joined bytea)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT h.*, u.n::integer, l.seq, l.kind::integer, l.target, l.flags::integer, l.within,
    (SELECT m.bits FROM mark m WHERE m.seq = l.seq AND m.mark = 3 AND m.chunk = (u.ordinal >> 16)::integer)
  FROM unnest(p_seq, p_ordinal) WITH ORDINALITY AS u(seq, ordinal, n)
  CROSS JOIN LATERAL (SELECT * FROM log x WHERE x.seq = u.seq AND x.kind <= 1 OFFSET 0) l
  CROSS JOIN LATERAL histories_1(ARRAY[u.ordinal], ARRAY[0::bigint]) h;
END
$$;

-- Writes what was told: `n` of each that was not told before. What was is at the standby when this is answered, as if it had been written by it.
CREATE OR REPLACE FUNCTION tell_1(p_seq bigint[], p_event integer[], p_ordinal bigint[], p_detail bytea[]) RETURNS SETOF integer
  LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN QUERY
  WITH told AS MATERIALIZED (
    SELECT u.* FROM unnest(p_seq, p_event, p_ordinal, p_detail) WITH ORDINALITY AS u(seq, event, ordinal, detail, n)
  ), written AS (
    INSERT INTO event AS e (seq, event, ordinal, detail) SELECT t.seq, t.event, t.ordinal, t.detail FROM told t
    ORDER BY t.seq, t.event, t.ordinal ON CONFLICT DO NOTHING RETURNING e.seq, e.event, e.ordinal
  )
  -- Not as a join, which would compare each with each.
  SELECT t.n::integer FROM told t
  WHERE ((t.seq, t.event, t.ordinal) IN (SELECT w.seq, w.event, w.ordinal FROM written w)) IS TRUE;
  PERFORM await_unwritten();
END
$$;
