-- Purpose: row security policies; a role of 0 means PUBLIC.
-- Minimum server version: 14
SELECT p.polrelid::bigint AS "table",
       p.polname::text AS name,
       p.polpermissive AS permissive,
       p.polcmd::text AS command,
       p.polroles::bigint[] AS roles,
       CASE WHEN p.polqual IS NOT NULL
            THEN COALESCE(pg_catalog.pg_get_expr(p.polqual, p.polrelid), '')
       END AS "using",
       CASE WHEN p.polwithcheck IS NOT NULL
            THEN COALESCE(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), '')
       END AS with_check
  FROM pg_catalog.pg_policy AS p
 ORDER BY p.polrelid, p.polname;
