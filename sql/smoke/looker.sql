-- A role that sees every row of auth.users, is no superuser, and may have temporary functions: the owner before others.
-- Row security passes over BYPASSRLS, and over who has the owner's rights unless it is forced. Server 14 and later.
SELECT r.rolname::pg_catalog.text AS role
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_roles AS r ON NOT r.rolsuper
WHERE n.nspname = 'auth' AND c.relname = 'users'
  AND pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE')
  AND pg_catalog.has_table_privilege(r.oid, c.oid, 'SELECT')
  AND pg_catalog.has_database_privilege(r.oid, pg_catalog.current_database(), 'TEMPORARY')
  AND (
    NOT c.relrowsecurity OR r.rolbypassrls
    OR (NOT c.relforcerowsecurity AND pg_catalog.pg_has_role(r.oid, c.relowner, 'USAGE'))
  )
ORDER BY r.oid = c.relowner DESC, r.rolname LIKE 'supabase\_%%', r.rolname
LIMIT 1;
