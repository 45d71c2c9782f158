-- What the current role may do to each of the triggers given (oids): replace its function, replace it, disable it.
-- `shared` are all triggers that call the function and fire, this one included. Server 14 and later.
SELECT g.oid::pg_catalog.int8 AS trigger,
       pg_catalog.pg_has_role(p.proowner, 'USAGE')
         AND pg_catalog.has_schema_privilege(p.pronamespace, 'CREATE')
         AND n.nspname OPERATOR(pg_catalog.<>) 'pg_catalog' AS owns_function,
       pg_catalog.has_table_privilege(g.tgrelid, 'TRIGGER')
         AND pg_catalog.has_function_privilege(g.tgfoid, 'EXECUTE')
         AND pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE') AS may_replace,
       pg_catalog.pg_has_role(c.relowner, 'USAGE')
         AND pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE') AS owns_table,
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
WHERE g.oid OPERATOR(pg_catalog.=) ANY (%(triggers)s::pg_catalog.oid[])
ORDER BY g.oid;
