-- The definitions of those of the given functions (oids) that may be replaced: by the current role; with as_owners by
-- who owns the function where that is no superuser (NULL: the current role). A superuser's is left out where it has
-- defaults for arguments: to read these can run code. Server 14 and later.
SELECT p.oid::pg_catalog.int8 AS function, a.owner,
       pg_catalog.pg_get_functiondef(p.oid) AS definition, p.prosrc AS source
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) p.proowner
CROSS JOIN LATERAL (
  SELECT CASE WHEN %(as_owners)s AND NOT r.rolsuper THEN r.rolname::pg_catalog.text END AS owner,
         CASE WHEN %(as_owners)s AND NOT r.rolsuper THEN r.rolname ELSE CURRENT_USER END AS actor
) AS a
WHERE p.oid OPERATOR(pg_catalog.=) ANY (%(functions)s::pg_catalog.oid[])
  AND pg_catalog.pg_has_role(a.actor, p.proowner, 'USAGE')
  AND pg_catalog.has_schema_privilege(a.actor, p.pronamespace, 'CREATE')
  AND (NOT %(as_owners)s OR a.owner IS NOT NULL OR p.pronargdefaults OPERATOR(pg_catalog.=) 0)
ORDER BY p.oid;
