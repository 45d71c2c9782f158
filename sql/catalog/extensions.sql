-- Purpose: the installed extensions and the schema that each lives in.
-- Minimum server version: 14
SELECT x.extname::text AS name,
       n.nspname::text AS schema
  FROM pg_catalog.pg_extension AS x
  JOIN pg_catalog.pg_namespace AS n ON n.oid = x.extnamespace
 ORDER BY x.extname;
