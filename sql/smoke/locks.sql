-- The locks that this session holds on auth.users.
SELECT mode FROM pg_catalog.pg_locks
WHERE pid = pg_catalog.pg_backend_pid() AND granted
  AND relation = (
    SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = 'auth' AND c.relname = 'users'
  );
