-- Purpose: schema and name of the functions of a list of oids, whoever owns them.
-- Minimum server version: 14
-- Parameters: oids, an array of bigint
SELECT p.oid::bigint AS oid,
       n.nspname::text AS schema,
       p.proname::text AS name
  FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
 WHERE p.oid = ANY (%(oids)s::pg_catalog.oid[])
 ORDER BY p.oid;
