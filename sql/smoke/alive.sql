-- Whether the process is still in that transaction. Server 14 and later.
SELECT EXISTS (
  SELECT FROM pg_catalog.pg_stat_activity
  WHERE pid = %(pid)s
    AND (EXTRACT(epoch FROM backend_start) * 1000000)::pg_catalog.int8 = %(started)s
    AND (EXTRACT(epoch FROM xact_start) * 1000000)::pg_catalog.int8 IS NOT DISTINCT FROM %(began)s
) AS alive;
