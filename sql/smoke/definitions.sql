-- The definitions of those of the given functions (oids) that the current role may replace. Server 14 and later.
SELECT p.oid::pg_catalog.int8 AS function, pg_catalog.pg_get_functiondef(p.oid) AS definition, p.prosrc AS source
FROM pg_catalog.pg_proc AS p
WHERE p.oid OPERATOR(pg_catalog.=) ANY (%(functions)s::pg_catalog.oid[])
  AND pg_catalog.pg_has_role(p.proowner, 'USAGE')
  AND pg_catalog.has_schema_privilege(p.pronamespace, 'CREATE')
ORDER BY p.oid;
