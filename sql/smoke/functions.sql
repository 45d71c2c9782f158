-- Functions that a name in an error's CONTEXT can mean: it is unqualified where the schema was on the search_path.
SELECT n.nspname::pg_catalog.text AS schema_name,
       p.proname::pg_catalog.text AS function_name,
       ARRAY(
         SELECT pg_catalog.format_type(t.type, NULL)
         FROM pg_catalog.unnest(p.proargtypes) WITH ORDINALITY AS t (type, position)
         ORDER BY t.position
       ) AS argument_types,
       p.prorettype = 'pg_catalog.trigger'::pg_catalog.regtype
         AND EXISTS (SELECT FROM pg_catalog.pg_trigger AS t WHERE t.tgfoid = p.oid) AS fired
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
WHERE p.proname = %(name)s
  AND (%(schema)s::pg_catalog.text IS NULL OR n.nspname = %(schema)s::pg_catalog.text)
ORDER BY n.nspname, p.oid;
