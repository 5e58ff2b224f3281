-- Nodes call functions and touch no table: the functions run as their owner, by names that nobody can put others before.
DO $$
DECLARE
  f record;
BEGIN
  FOR f IN SELECT p.oid::regprocedure AS name FROM pg_proc p WHERE p.pronamespace = 'psp'::regnamespace LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f.name);
    EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER', f.name);
  END LOOP;
  -- Those that nodes call; what these call in turn has their path already.
  FOR f IN SELECT p.oid::regprocedure AS name FROM pg_proc p WHERE p.pronamespace = 'psp'::regnamespace AND p.proname ~ '_[0-9]+$' LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = psp, pg_temp', f.name);
  END LOOP;
END
$$;
