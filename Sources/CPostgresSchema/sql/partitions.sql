-- The log's partitions. Tables are made, attached and dropped with the lane, so that nobody writes meanwhile, and with a short
-- `lock_timeout`: who reads the log is not waited for longer, and it is tried again later.

-- Makes a partition ahead. `outcome`: 0 there is room; 1 one was made; 2 somebody was in the way; 3 the last one is too full, as positions
-- have jumped into it and many have followed: it stays the last.
CREATE OR REPLACE FUNCTION extend_log_1(p_now bigint, p_size bigint) RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_last bigint := (SELECT max(first) FROM log_part);
  v_end bigint;
  v_count bigint;
BEGIN
  IF head() < v_last - p_size / 2 THEN
    RETURN 0;
  END IF;
  PERFORM take_lane(p_now);
  PERFORM set_config('lock_timeout', '100ms', true);
  -- Another node may have made it meanwhile.
  v_last := (SELECT max(first) FROM log_part);
  IF head() < v_last - p_size / 2 THEN
    RETURN 0;
  END IF;
  EXECUTE format('SELECT count(*) FROM (SELECT 1 FROM %I LIMIT 100001) x', 'log_' || v_last) INTO v_count;
  IF v_count > 100000 THEN
    RETURN 3;
  END IF;
  v_end := greatest(v_last, head()) + p_size;
  EXECUTE format('ALTER TABLE log DETACH PARTITION %I', 'log_' || v_last);
  EXECUTE format('ALTER TABLE log ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', 'log_' || v_last, v_last, v_end);
  EXECUTE format('CREATE TABLE %I PARTITION OF log FOR VALUES FROM (%s) TO (MAXVALUE) WITH (fillfactor = 95)', 'log_' || v_end, v_end);
  INSERT INTO log_part (first) VALUES (v_end);
  RETURN 1;
EXCEPTION WHEN lock_not_available THEN
  RETURN 2;
END
$$;

-- The oldest partition, if all its messages are due: where it begins and ends. A message lives for 7 days at most.
CREATE OR REPLACE FUNCTION old_partition_1(p_now bigint, p_lifetime bigint, OUT first bigint, OUT after bigint)
  RETURNS SETOF record LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  v_first bigint[] := ARRAY(SELECT p.first FROM log_part p ORDER BY p.first LIMIT 3);
BEGIN
  PERFORM check_clock(p_now, 2000);
  -- Neither the last one nor the one in which the log goes on.
  IF cardinality(v_first) = 3 AND v_first[2] <= least(head(), position_after(p_now - p_lifetime - 604800000)) THEN
    RETURN QUERY SELECT v_first[1], v_first[2];
  END IF;
END
$$;

-- Removes some of what belongs to a partition's tasks that are due. Returns whether there may be more.
CREATE OR REPLACE FUNCTION forget_parts_1(p_now bigint, p_lifetime bigint, p_first bigint, p_after bigint, p_limit integer) RETURNS boolean
  LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_kept bigint[] := kept_of(p_now - p_lifetime, p_first, p_after);
  v_count bigint;
BEGIN
  DELETE FROM event e WHERE e.ctid = ANY (ARRAY(
    SELECT x.ctid FROM event x WHERE x.seq >= p_first AND x.seq < p_after AND x.seq <> ALL (v_kept) LIMIT p_limit));
  GET DIAGNOSTICS v_count = ROW_COUNT;
  IF v_count < p_limit THEN
    DELETE FROM receipt r WHERE r.ctid = ANY (ARRAY(
      SELECT x.ctid FROM receipt x WHERE x.seq >= p_first AND x.seq < p_after AND x.seq <> ALL (v_kept) LIMIT p_limit));
    GET DIAGNOSTICS v_count = ROW_COUNT;
  END IF;
  IF v_count < p_limit THEN
    DELETE FROM mark m WHERE m.ctid = ANY (ARRAY(
      SELECT x.ctid FROM mark x WHERE x.seq >= p_first AND x.seq < p_after AND x.seq <> ALL (v_kept) LIMIT p_limit));
    GET DIAGNOSTICS v_count = ROW_COUNT;
  END IF;
  RETURN v_count >= p_limit;
END
$$;

-- What has to stay of a partition whose messages are all due: configurations that have not ended, or lately, and references to them.
CREATE OR REPLACE FUNCTION kept_of(p_time bigint, p_first bigint, p_after bigint) RETURNS bigint[] LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN ARRAY(
    SELECT l.seq FROM log l WHERE l.kind IN (1, 2) AND l.seq >= p_first AND l.seq < p_after
      AND NOT is_due(l.seq, l.kind, l.target, l.ref, l.status, l.ended_at, l.expires, p_time)
    ORDER BY l.seq LIMIT 1001);
END
$$;

-- Drops the oldest partition; what has to stay moves under its own position. `outcome`: 1 done; 2 somebody was in the way; 3 too much has
-- to stay: what is due goes row by row (forget_tasks_1) before.
CREATE OR REPLACE FUNCTION drop_partition_1(p_now bigint, p_lifetime bigint, p_first bigint, p_after bigint) RETURNS integer
  LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_kept bigint[];
BEGIN
  PERFORM take_lane(p_now);
  PERFORM set_config('lock_timeout', '100ms', true);
  IF p_first <> (SELECT min(first) FROM log_part) OR (SELECT count(*) FROM log_part) < 3 THEN
    RETURN 2;
  END IF;
  v_kept := kept_of(p_now - p_lifetime, p_first, p_after);
  IF cardinality(v_kept) > 1000 THEN
    RETURN 3;
  END IF;
  EXECUTE format('ALTER TABLE log DETACH PARTITION %I', 'log_' || p_first);
  ALTER TABLE log DETACH PARTITION log_kept;
  EXECUTE format('INSERT INTO log_kept SELECT * FROM %I WHERE seq = ANY ($1)', 'log_' || p_first) USING v_kept;
  EXECUTE format('DELETE FROM current_config WHERE seq >= $1 AND seq < $2 AND seq <> ALL ($3)') USING p_first, p_after, v_kept;
  EXECUTE format('ALTER TABLE log ATTACH PARTITION log_kept FOR VALUES FROM (0) TO (%s)', p_after);
  EXECUTE format('DROP TABLE %I', 'log_' || p_first);
  DELETE FROM log_part WHERE first = p_first;
  RETURN 1;
EXCEPTION WHEN lock_not_available THEN
  RETURN 2;
END
$$;
