-- Purpose: what has columns: tables, partitioned tables, views, materialised views, foreign tables and composite types.
--   Those of extensions are left out, unless a user hung a trigger on one.
-- Minimum server version: 14
SELECT c.oid::bigint AS oid,
       n.nspname::text AS schema,
       c.relname::text AS relation,
       c.relkind::text AS kind,
       c.relowner::bigint AS owner,
       c.relrowsecurity AS row_security,
       c.relforcerowsecurity AS force_row_security,
       c.reltuples AS rows,
       CASE WHEN c.relispartition THEN i.inhparent::bigint END AS partition_of,
       s.srvname::text AS foreign_server
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = c.oid AND i.inhseqno = 1 AND c.relispartition
  LEFT JOIN pg_catalog.pg_foreign_table AS f ON f.ftrelid = c.oid
  LEFT JOIN pg_catalog.pg_foreign_server AS s ON s.oid = f.ftserver
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
   AND n.nspname NOT LIKE 'pg\_%'
   AND n.nspname <> 'information_schema'
   AND (
       NOT EXISTS (
           SELECT
             FROM pg_catalog.pg_depend AS e
            WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
              AND e.objid = c.oid
              AND e.objsubid = 0
              AND e.deptype = 'e'
       )
       OR EXISTS (
           SELECT
             FROM pg_catalog.pg_trigger AS g
            WHERE g.tgrelid = c.oid
              AND NOT g.tgisinternal
              AND NOT EXISTS (
                  SELECT
                    FROM pg_catalog.pg_depend AS e
                   WHERE e.deptype = 'e'
                     AND e.objsubid = 0
                     AND (e.classid, e.objid) IN (
                         ('pg_catalog.pg_trigger'::pg_catalog.regclass, g.oid),
                         ('pg_catalog.pg_proc'::pg_catalog.regclass, g.tgfoid)
                     )
              )
       )
   )
 ORDER BY n.nspname, c.relname;
