-- Nodes call functions and touch no table: what they call runs as its owner, by names that nobody can put others before. What that
-- calls in turn runs within it, with its rights and its path, and nobody else may call it.
DO $$
DECLARE
  f record;
BEGIN
  FOR f IN
    SELECT p.oid::regprocedure AS name, p.proname ~ '_[0-9]+$' AND p.prokind <> 'p' AS is_called FROM pg_proc p
    WHERE p.pronamespace = 'psp'::regnamespace
  LOOP
    EXECUTE format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', f.name);
    IF f.is_called THEN
      EXECUTE format('ALTER ROUTINE %s SECURITY DEFINER SET search_path = psp, pg_temp', f.name);
    ELSE
      EXECUTE format('ALTER ROUTINE %s SECURITY INVOKER', f.name);
    END IF;
  END LOOP;
END
$$;
