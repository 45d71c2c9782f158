-- The locks that this session holds on auth.users. A trigger may have put a schema with operators of its own first on
-- the search_path, so none is left to it.
SELECT mode FROM pg_catalog.pg_locks
WHERE pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND granted
  AND relation OPERATOR(pg_catalog.=) (
    SELECT c.oid FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
    WHERE n.nspname OPERATOR(pg_catalog.=) 'auth' AND c.relname OPERATOR(pg_catalog.=) 'users'
  );
