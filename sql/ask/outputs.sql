-- Purpose: OUT arguments and the columns of RETURNS TABLE, in order, of the functions in %(functions)s that have any.
-- Minimum server version: 14
SELECT p.oid::bigint AS function,
       pg_catalog.array_agg(p.proargnames[a.number]::text ORDER BY a.number) AS names,
       pg_catalog.array_agg(p.proallargtypes[a.number]::bigint ORDER BY a.number) AS types
  FROM pg_catalog.pg_proc AS p
 CROSS JOIN LATERAL pg_catalog.generate_subscripts(p.proargmodes, 1) AS a(number)
 WHERE p.oid = ANY (%(functions)s::pg_catalog.oid[])
   AND p.proargmodes[a.number] IN ('o', 't')
   AND p.proargnames IS NOT NULL
 GROUP BY p.oid
 ORDER BY p.oid;
