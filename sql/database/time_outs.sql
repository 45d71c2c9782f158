-- Purpose: the time-outs of the present transaction, in milliseconds.
-- Minimum server version: 14
SELECT pg_catalog.set_config('statement_timeout', %s, true),
       pg_catalog.set_config('lock_timeout', %s, true),
       pg_catalog.set_config('idle_in_transaction_session_timeout', %s, true);
