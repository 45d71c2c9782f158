-- Purpose: the types of users and extensions, and those built-in types and array types that columns, functions, domains
--   or arrays of theirs refer to.
--   modifier is that which a domain puts on its base type: n + 4 in a domain over varchar(n).
-- Minimum server version: 14
WITH RECURSIVE spaces AS (
    SELECT n.oid
      FROM pg_catalog.pg_namespace AS n
     WHERE n.nspname NOT LIKE 'pg\_%'
       AND n.nspname <> 'information_schema'
), wanted(oid) AS (
    SELECT t.oid
      FROM pg_catalog.pg_type AS t
      JOIN spaces AS s ON s.oid = t.typnamespace
     WHERE t.typcategory <> 'A'
     UNION
    SELECT a.atttypid
      FROM pg_catalog.pg_attribute AS a
      JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
      JOIN spaces AS s ON s.oid = c.relnamespace
     WHERE a.attnum > 0
       AND a.atttypid <> 0
       AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
     UNION
    SELECT x.oid
      FROM pg_catalog.pg_proc AS p
      JOIN spaces AS s ON s.oid = p.pronamespace
     CROSS JOIN LATERAL pg_catalog.unnest(
               pg_catalog.array_append(COALESCE(p.proallargtypes, p.proargtypes::pg_catalog.oid[]), p.prorettype)
           ) AS x(oid)
     UNION
    SELECT x.oid
      FROM wanted AS w
      JOIN pg_catalog.pg_type AS t ON t.oid = w.oid
     CROSS JOIN LATERAL (VALUES (t.typbasetype), (t.typelem)) AS x(oid)
     WHERE x.oid <> 0
)
SELECT t.oid::bigint AS oid,
       n.nspname::text AS schema,
       t.typname::text AS name,
       t.typtype::text AS kind,
       t.typnotnull AS not_null,
       NULLIF(t.typbasetype, 0)::bigint AS base,
       NULLIF(t.typtypmod, -1) AS modifier,
       NULLIF(t.typrelid, 0)::bigint AS relation,
       CASE WHEN t.typlen = -1 THEN NULLIF(t.typelem, 0)::bigint END AS element,
       CASE WHEN t.typtype = 'e' THEN ARRAY(
           SELECT e.enumlabel::text
             FROM pg_catalog.pg_enum AS e
            WHERE e.enumtypid = t.oid
            ORDER BY e.enumsortorder
       ) END AS labels,
       COALESCE(pg_catalog.pg_get_expr(t.typdefaultbin, 0), t.typdefault) AS "default",
       CASE WHEN t.typtype = 'd' THEN ARRAY(
           SELECT COALESCE(pg_catalog.pg_get_constraintdef(k.oid), '')
             FROM pg_catalog.pg_constraint AS k
            WHERE k.contypid = t.oid
              AND k.contype = 'c'
            ORDER BY k.conname
       ) END AS checks
  FROM (SELECT DISTINCT w.oid FROM wanted AS w) AS w
  JOIN pg_catalog.pg_type AS t ON t.oid = w.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
 ORDER BY n.nspname, t.typname;
