-- The locks that this session holds on auth.users.
SELECT mode FROM pg_catalog.pg_locks
WHERE pid = pg_catalog.pg_backend_pid() AND relation = pg_catalog.to_regclass('auth.users') AND granted;
