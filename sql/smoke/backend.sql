-- The process and the transaction that we run in, in microseconds since 1970. Server 14 and later.
-- The transaction's start is NULL where track_activities is off.
SELECT pid,
       (EXTRACT(epoch FROM backend_start) * 1000000)::pg_catalog.int8 AS started,
       (EXTRACT(epoch FROM xact_start) * 1000000)::pg_catalog.int8 AS began
FROM pg_catalog.pg_stat_activity
WHERE pid = pg_catalog.pg_backend_pid();
