-- The log's partitions. Tables are made, attached and dropped with the lane, so that nobody writes meanwhile, and with a short
-- `lock_timeout`: who reads the log is not waited for longer, and it is tried again later.

-- Why no partition is made behind the last one: 0 there is room; 3 that one is too full, as positions have jumped into it and many have
-- followed: it stays the last. NULL: one is made.
CREATE OR REPLACE FUNCTION stays_last(p_last bigint, p_size bigint) RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_count bigint;
BEGIN
  IF head() < p_last - p_size / 2 THEN
    RETURN 0;
  END IF;
  EXECUTE format('SELECT count(*) FROM (SELECT 1 FROM %I LIMIT 100001) x', 'log_' || p_last) INTO v_count;
  RETURN CASE WHEN v_count > 100000 THEN 3 END;
END
$$;

-- Makes a partition ahead. `outcome`: 1 one was made; 2 somebody was in the way; otherwise why none is (stays_last).
CREATE OR REPLACE FUNCTION extend_log_1(p_now bigint, p_size bigint) RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_last bigint := (SELECT max(first) FROM log_part);
  v_end bigint;
  v_outcome integer := stays_last(v_last, p_size);
BEGIN
  IF v_outcome IS NOT NULL THEN
    RETURN v_outcome;
  END IF;
  PERFORM take_lane(p_now);
  PERFORM set_config('lock_timeout', '100ms', true);
  -- Another node may have made it meanwhile.
  v_last := (SELECT max(first) FROM log_part);
  v_outcome := stays_last(v_last, p_size);
  IF v_outcome IS NOT NULL THEN
    RETURN v_outcome;
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
  IF cardinality(v_first) = 3 AND v_first[2] <= least(head(), first_position(p_now - p_lifetime - 604800000 + 1)) THEN
    RETURN QUERY SELECT v_first[1], v_first[2];
  END IF;
END
$$;

-- An old partition goes in steps, so that the lane is held for the exchange of tables alone. What has to stay of it, and of what was kept
-- before, is copied into a new table (keep_rows_1) that the log does not know yet: configurations that have not ended, or lately, and
-- references to them. Then what belongs to the others is removed (forget_parts_1), what has ended meanwhile is made up for (keep_ends_1),
-- and at last the new table takes the place of both (drop_partition_1). What is due stays due, so that a copy may hold too much, but
-- never too little. Who begins anew makes whoever was at it before stop: each step names its `run`.

-- Begins to drop the oldest partition. `head` is from where on ends have to be made up for. No row: somebody was in the way.
CREATE OR REPLACE FUNCTION begin_keeping_1(p_now bigint, p_after bigint, OUT run bigint, OUT head bigint) RETURNS SETOF record
  LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM check_clock(p_now, 2000);
  PERFORM set_config('lock_timeout', '100ms', true);
  UPDATE meta SET value = value + 1 WHERE key = 'keeping' RETURNING value INTO run;
  DROP TABLE IF EXISTS log_keeping;
  -- It tells that all rows are where the partition will be, so that nobody looks at them for that.
  EXECUTE format('CREATE TABLE log_keeping (LIKE log INCLUDING ALL, CHECK (seq >= 0 AND seq < %s)) WITH (fillfactor = 95)', p_after);
  head := head();
  RETURN NEXT;
EXCEPTION WHEN lock_not_available THEN
  RETURN;
END
$$;

-- Whether nobody has begun anew; until the end of the call nobody does.
CREATE OR REPLACE FUNCTION is_keeping(p_run bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM 1 FROM meta WHERE key = 'keeping' AND value = p_run FOR SHARE;
  RETURN FOUND;
END
$$;

-- Copies some of what has to stay. `is_lost`: another node has begun anew; `place` is the last row looked at, and NULL where there are
-- no more.
CREATE OR REPLACE FUNCTION keep_rows_1(p_now bigint, p_run bigint, p_lifetime bigint, p_place bigint, p_after bigint, p_limit integer,
  OUT is_lost boolean, OUT place bigint)
  LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_rows bigint[];
BEGIN
  PERFORM check_clock(p_now, 2000);
  is_lost := NOT is_keeping(p_run);
  IF is_lost THEN
    RETURN;
  END IF;
  v_rows := ARRAY(
    SELECT l.seq FROM log l WHERE l.kind IN (1, 2) AND l.seq > p_place AND l.seq < p_after ORDER BY l.seq LIMIT p_limit);
  INSERT INTO log_keeping SELECT l.* FROM log l
  WHERE l.seq = ANY (v_rows) AND NOT is_due(l.seq, l.kind, l.target, l.ref, l.status, l.ended_at, l.expires, p_now - p_lifetime)
  ON CONFLICT DO NOTHING;
  IF cardinality(v_rows) = p_limit THEN
    place := v_rows[p_limit];
  END IF;
END
$$;

-- Removes some of what belongs to tasks from a position on that do not stay, when all that does is copied. `place` is from where it goes
-- on, and NULL where there is no more.
CREATE OR REPLACE FUNCTION forget_parts_1(p_now bigint, p_run bigint, p_place bigint, p_after bigint, p_limit integer,
  OUT is_lost boolean, OUT place bigint)
  LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_variable
DECLARE
  v_end bigint;
  v_left bigint := p_limit;
  v_count bigint;
BEGIN
  PERFORM check_clock(p_now, 2000);
  is_lost := NOT is_keeping(p_run);
  IF is_lost THEN
    RETURN;
  END IF;
  place := p_place;
  -- From one task that stays to the next.
  FOR v_gap IN 1..100 LOOP
    v_end := coalesce((SELECT k.seq FROM log_keeping k WHERE k.seq >= place AND k.seq < p_after ORDER BY k.seq LIMIT 1), p_after);
    IF v_end > place THEN
      DELETE FROM event e WHERE e.ctid = ANY (ARRAY(SELECT x.ctid FROM event x WHERE x.seq >= place AND x.seq < v_end LIMIT v_left));
      GET DIAGNOSTICS v_count = ROW_COUNT;
      v_left := v_left - v_count;
      DELETE FROM receipt r WHERE r.ctid = ANY (ARRAY(SELECT x.ctid FROM receipt x WHERE x.seq >= place AND x.seq < v_end LIMIT v_left));
      GET DIAGNOSTICS v_count = ROW_COUNT;
      v_left := v_left - v_count;
      DELETE FROM mark m WHERE m.ctid = ANY (ARRAY(SELECT x.ctid FROM mark x WHERE x.seq >= place AND x.seq < v_end LIMIT v_left));
      GET DIAGNOSTICS v_count = ROW_COUNT;
      v_left := v_left - v_count;
      DELETE FROM current_config c WHERE c.ctid = ANY (ARRAY(
        SELECT x.ctid FROM current_config x WHERE x.seq >= place AND x.seq < v_end LIMIT v_left));
      GET DIAGNOSTICS v_count = ROW_COUNT;
      v_left := v_left - v_count;
      IF v_left <= 0 THEN
        RETURN;
      END IF;
    END IF;
    place := v_end + 1;
    IF place >= p_after THEN
      place := NULL;
      RETURN;
    END IF;
  END LOOP;
END
$$;

-- Makes up for ends after a position, of tasks that were copied before. Returns up to where.
CREATE OR REPLACE FUNCTION keep_ends(p_place bigint, p_after bigint, p_limit integer) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_last bigint;
BEGIN
  v_last := (SELECT max(x.seq) FROM (SELECT l.seq FROM log l WHERE l.seq > p_place ORDER BY l.seq LIMIT p_limit) x);
  IF v_last IS NULL THEN
    RETURN p_place;
  END IF;
  UPDATE log_keeping k SET status = t.status, ended_at = t.ended_at
  FROM log e JOIN LATERAL (SELECT r.status, r.ended_at FROM log r WHERE r.seq = e.ref OFFSET 0) t ON true
  WHERE e.seq > p_place AND e.seq <= v_last AND e.kind = 3 AND e.ref < p_after AND k.seq = e.ref;
  RETURN v_last;
END
$$;

-- The same as a step. `place` is from where it goes on, and `is_left` whether there is more.
CREATE OR REPLACE FUNCTION keep_ends_1(p_now bigint, p_run bigint, p_place bigint, p_after bigint, p_limit integer,
  OUT is_lost boolean, OUT place bigint, OUT is_left boolean)
  LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM check_clock(p_now, 2000);
  is_lost := NOT is_keeping(p_run);
  IF is_lost THEN
    RETURN;
  END IF;
  place := keep_ends(p_place, p_after, p_limit);
  is_left := EXISTS (SELECT 1 FROM log l WHERE l.seq > place OFFSET 100);
END
$$;

-- The oldest partition goes, and the copy of what has to stay takes its place. `p_place` is up to where ends are made up for. `outcome`:
-- 1 done; 2 somebody was in the way; 3 too much has ended since, or another node has begun anew.
CREATE OR REPLACE FUNCTION drop_partition_1(p_now bigint, p_run bigint, p_place bigint, p_first bigint, p_after bigint) RETURNS integer
  LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM take_lane(p_now);
  PERFORM set_config('lock_timeout', '100ms', true);
  IF p_first <> (SELECT min(first) FROM log_part) OR (SELECT count(*) FROM log_part) < 3 THEN
    RETURN 2;
  END IF;
  IF NOT is_keeping(p_run) OR EXISTS (SELECT 1 FROM log l WHERE l.seq > p_place OFFSET 1000) THEN
    RETURN 3;
  END IF;
  PERFORM keep_ends(p_place, p_after, 1001);
  EXECUTE format('ALTER TABLE log DETACH PARTITION %I', 'log_' || p_first);
  ALTER TABLE log DETACH PARTITION log_kept;
  EXECUTE format('ALTER TABLE log ATTACH PARTITION log_keeping FOR VALUES FROM (0) TO (%s)', p_after);
  EXECUTE format('DROP TABLE %I, log_kept', 'log_' || p_first);
  ALTER TABLE log_keeping RENAME TO log_kept;
  DELETE FROM log_part WHERE first = p_first;
  -- Whoever is still at it has no table any more.
  UPDATE meta SET value = value + 1 WHERE key = 'keeping';
  RETURN 1;
EXCEPTION WHEN lock_not_available THEN
  RETURN 2;
END
$$;
