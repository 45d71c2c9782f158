-- What may be done to each of the triggers given (oids): replace its function, replace it, disable it. By the current
-- role; with as_owners by those who own the function and the table, where these are no superusers (NULL: the current
-- role). `shared` are all triggers that call the function and fire, this one included. Server 14 and later.
SELECT g.oid::pg_catalog.int8 AS trigger,
       f.owner AS function_owner,
       t.owner AS table_owner,
       pg_catalog.pg_has_role(f.actor, p.proowner, 'USAGE')
         AND pg_catalog.has_schema_privilege(f.actor, p.pronamespace, 'CREATE')
         AND n.nspname OPERATOR(pg_catalog.<>) 'pg_catalog' AS owns_function,
       pg_catalog.has_table_privilege(t.actor, g.tgrelid, 'TRIGGER')
         AND pg_catalog.has_function_privilege(t.actor, g.tgfoid, 'EXECUTE')
         AND pg_catalog.has_schema_privilege(t.actor, p.pronamespace, 'USAGE')
         AND pg_catalog.has_schema_privilege(t.actor, c.relnamespace, 'USAGE') AS may_replace,
       pg_catalog.pg_has_role(t.actor, c.relowner, 'USAGE')
         AND pg_catalog.has_schema_privilege(t.actor, c.relnamespace, 'USAGE') AS owns_table,
       ARRAY(
         SELECT s.oid::pg_catalog.int8 FROM pg_catalog.pg_trigger AS s
         WHERE s.tgfoid OPERATOR(pg_catalog.=) g.tgfoid AND NOT s.tgisinternal
           AND s.tgparentid OPERATOR(pg_catalog.=) 0 AND s.tgenabled OPERATOR(pg_catalog.=) ANY ('{O,A}')
         ORDER BY s.oid
       ) AS shared
FROM pg_catalog.pg_trigger AS g
JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) g.tgrelid
JOIN pg_catalog.pg_proc AS p ON p.oid OPERATOR(pg_catalog.=) g.tgfoid
JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
CROSS JOIN LATERAL (
  SELECT CASE WHEN a.acts THEN r.rolname::pg_catalog.text END AS owner,
         CASE WHEN a.acts THEN r.rolname ELSE CURRENT_USER END AS actor
  FROM pg_catalog.pg_roles AS r
  CROSS JOIN LATERAL (SELECT %(as_owners)s AND NOT r.rolsuper AS acts) AS a
  WHERE r.oid OPERATOR(pg_catalog.=) p.proowner
) AS f
CROSS JOIN LATERAL (
  SELECT CASE WHEN a.acts THEN r.rolname::pg_catalog.text END AS owner,
         CASE WHEN a.acts THEN r.rolname ELSE CURRENT_USER END AS actor
  FROM pg_catalog.pg_roles AS r
  CROSS JOIN LATERAL (SELECT %(as_owners)s AND NOT r.rolsuper AS acts) AS a
  WHERE r.oid OPERATOR(pg_catalog.=) c.relowner
) AS t
WHERE g.oid OPERATOR(pg_catalog.=) ANY (%(triggers)s::pg_catalog.oid[])
ORDER BY g.oid;
