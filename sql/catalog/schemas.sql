-- Purpose: the schemas of users and extensions: names that begin with pg_ are the system's own.
-- Minimum server version: 14
SELECT n.oid::bigint AS oid,
       n.nspname::text AS name,
       n.nspowner::bigint AS owner
  FROM pg_catalog.pg_namespace AS n
 WHERE n.nspname NOT LIKE 'pg\_%'
   AND n.nspname <> 'information_schema'
 ORDER BY n.nspname;
