-- Uses the nonces of signed requests up. `p_interface` is NULL for what is no push.
-- Returns the numbers of those that were used before, and of those of which nobody knows any more as negative numbers.
CREATE OR REPLACE FUNCTION use_nonces(p_app bytea[], p_interface integer[], p_time bigint[], p_hash bigint[]) RETURNS integer[]
  LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_fresh bigint[];
  v_result integer[];
BEGIN
  WITH request AS (
    SELECT r.n, r.time, r.hash FROM unnest(p_app, p_interface, p_time, p_hash) WITH ORDINALITY AS r(appkey, interface, time, hash, n)
    CROSS JOIN LATERAL (SELECT * FROM app x WHERE x.appkey = r.appkey AND NOT x.removed AND NOT x.disabled OFFSET 0) a
    WHERE r.hash IS NOT NULL AND (r.interface IS NULL OR a.interfaces & (1 << r.interface) <> 0)
  ), forgotten AS (
    SELECT r.n FROM request r WHERE EXISTS (SELECT 1 FROM nonce_forgotten f WHERE r.time BETWEEN f.first AND f.last)
  ), fresh AS (
    INSERT INTO nonce (time, hash) SELECT time, hash FROM request WHERE n NOT IN (SELECT n FROM forgotten)
    ON CONFLICT DO NOTHING RETURNING time, hash
  )
  SELECT array_agg(CASE WHEN f.n IS NOT NULL THEN -r.n ELSE r.n END) INTO v_result
  FROM request r LEFT JOIN forgotten f ON f.n = r.n
  WHERE f.n IS NOT NULL OR (r.time, r.hash) NOT IN (SELECT time, hash FROM fresh);
  RETURN v_result;
END
$$;
