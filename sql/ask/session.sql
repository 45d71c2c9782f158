-- Purpose: makes the present savepoint ready for questions, and says what the server can answer.
--   A lock that is not to be had at once must not hold up others: 55P03 is "not asked". `unusable` are schemas of
--   %(schemas)s that the current role lacks USAGE on: names are not looked up there.
-- Minimum server version: 14
SELECT pg_catalog.pg_is_in_recovery() AS standby,
       pg_catalog.set_config('lock_timeout', %(lock_timeout)s, true) AS lock_timeout,
       ARRAY(
           SELECT n.nspname::text
             FROM pg_catalog.pg_namespace AS n
            WHERE n.nspname = ANY (%(schemas)s::text[])
              AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
            ORDER BY n.nspname
       ) AS unusable;
