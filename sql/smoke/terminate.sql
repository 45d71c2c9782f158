-- Ends the process if it still is in that transaction, and tells whether it is gone within so many milliseconds; no row
-- where there is none such. Server 14 and later (the second parameter).
SELECT pg_catalog.pg_terminate_backend(pid, %(milliseconds)s) AS gone
FROM pg_catalog.pg_stat_activity
WHERE pid = %(pid)s
  AND (EXTRACT(epoch FROM backend_start) * 1000000)::pg_catalog.int8 = %(started)s
  AND (EXTRACT(epoch FROM xact_start) * 1000000)::pg_catalog.int8 IS NOT DISTINCT FROM %(began)s;
