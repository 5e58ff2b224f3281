-- What devices still have to get: of each target that addresses one of them (`p_n` says which), the rows strictly between two
-- positions, oldest first, in the columns of tail_2. Rows that have expired or ended are for nobody (`is_told` false), nor what was
-- acknowledged: of rows to many devices this is looked at where `p_ordinal` names the device, as its cursor may lag. Of a reference
-- nobody knows: its task may have been acknowledged before it was joined again.
CREATE OR REPLACE FUNCTION pages_1(p_now bigint, p_n integer[], p_target bigint[], p_after bigint[], p_before bigint[], p_ordinal bigint[],
  p_limit integer,
  OUT seq bigint, OUT is_told boolean, OUT kind integer, OUT target bigint, OUT created bigint, OUT expires bigint, OUT wall_offset bigint,
  OUT app integer, OUT within integer, OUT flags integer, OUT display integer, OUT status integer, OUT version bigint, OUT ref bigint,
  OUT body bytea, OUT tag bytea, OUT n integer)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT l.seq,
    NOT (coalesce(t.status, l.status) <> 0 OR coalesce(l.expires <= p_now, false)
      OR l.kind <= 1 AND u.target >> 56 = 1 AND EXISTS (SELECT 1 FROM receipt r WHERE r.seq = l.seq AND r.bits IS NULL OFFSET 0)
      OR l.kind <= 1 AND u.target >> 56 <> 1 AND u.ordinal IS NOT NULL AND EXISTS (
        SELECT 1 FROM receipt r WHERE r.seq = l.seq AND r.mark = ANY (ARRAY[0, 1, 4]::smallint[]) AND r.chunk = (u.ordinal >> 16)::integer
          AND has_member(r.bits, (u.ordinal & 65535)::integer) OFFSET 0)),
    l.kind::integer, l.target, coalesce(t.created, l.created), l.expires, coalesce(t.wall_offset, l.wall_offset), l.app, l.within,
    l.flags::integer, coalesce(t.display, l.display)::integer, coalesce(t.status, l.status)::integer, coalesce(t.version, l.version), l.ref,
    CASE WHEN l.kind = 2 THEN substring(t.payload FROM t.body_start + 1 FOR t.body_end - t.body_start)
      ELSE substring(l.payload FROM l.body_start + 1 FOR l.body_end - l.body_start) END,
    coalesce(t.tag, l.tag), u.n
  FROM unnest(p_n, p_target, p_after, p_before, p_ordinal) AS u(n, target, after, before, ordinal)
    CROSS JOIN LATERAL (
      SELECT * FROM log l WHERE l.target = u.target AND l.seq > u.after AND l.seq < u.before AND l.kind <= 2
      ORDER BY l.seq LIMIT p_limit) l
    LEFT JOIN LATERAL (SELECT * FROM log r WHERE r.seq = l.ref OFFSET 0) t ON true;
END
$$;

-- Where devices belonged, and when: what holds, and what ended after a position. The array of a device without a past is NULL.
CREATE OR REPLACE FUNCTION histories_1(p_ordinal bigint[], p_after bigint[],
  OUT ordinal bigint, OUT token bytea, OUT platform integer, OUT created_seq bigint, OUT retired_seq bigint, OUT org integer,
  OUT org_since bigint, OUT holder bigint, OUT holder_since bigint, OUT test boolean, OUT test_since bigint,
  OUT past_org integer[], OUT past_org_from bigint[], OUT past_org_to bigint[], OUT past_test_from bigint[], OUT past_test_to bigint[])
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT d.ordinal, d.token, d.platform::integer, d.created_seq, d.retired_seq, d.org, d.org_since, d.holder, d.holder_since, d.test,
    d.test_since,
    -- Of few devices that has changed since.
    CASE WHEN d.org_since > u.after THEN
      ARRAY(SELECT p.org FROM past_org p WHERE p.ordinal = u.ordinal AND p.to_seq > u.after ORDER BY p.from_seq) END,
    CASE WHEN d.org_since > u.after THEN
      ARRAY(SELECT p.from_seq FROM past_org p WHERE p.ordinal = u.ordinal AND p.to_seq > u.after ORDER BY p.from_seq) END,
    CASE WHEN d.org_since > u.after THEN
      ARRAY(SELECT p.to_seq FROM past_org p WHERE p.ordinal = u.ordinal AND p.to_seq > u.after ORDER BY p.from_seq) END,
    CASE WHEN d.test_since > u.after THEN
      ARRAY(SELECT p.from_seq FROM past_test p WHERE p.ordinal = u.ordinal AND p.to_seq > u.after ORDER BY p.from_seq) END,
    CASE WHEN d.test_since > u.after THEN
      ARRAY(SELECT p.to_seq FROM past_test p WHERE p.ordinal = u.ordinal AND p.to_seq > u.after ORDER BY p.from_seq) END
  FROM unnest(p_ordinal, p_after) AS u(ordinal, after)
  CROSS JOIN LATERAL (SELECT * FROM device x WHERE x.ordinal = u.ordinal OFFSET 0) d;
END
$$;
