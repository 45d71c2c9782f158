-- Purpose: the time-outs of the present transaction, in milliseconds, and a search path that is ours: the owner of a
--   database may have set one with a schema of his before pg_catalog, whose operators our queries would run.
-- Minimum server version: 14
SELECT pg_catalog.set_config('statement_timeout', %s, true),
       pg_catalog.set_config('lock_timeout', %s, true),
       pg_catalog.set_config('idle_in_transaction_session_timeout', %s, true),
       pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
