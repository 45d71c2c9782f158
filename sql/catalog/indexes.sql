-- Purpose: indexes with their key columns (0 for an expression) and the texts of expressions and predicate.
-- Minimum server version: 14
SELECT i.indrelid::bigint AS "table",
       c.relname::text AS name,
       i.indisunique AS "unique",
       i.indisprimary AS "primary",
       i.indisexclusion AS exclusion,
       i.indisvalid AS valid,
       i.indimmediate AS immediate,
       ARRAY(
           SELECT k.number::integer
             FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS k(number, position)
            WHERE k.position <= i.indnkeyatts
            ORDER BY k.position
       ) AS columns,
       CASE WHEN i.indexprs IS NOT NULL THEN ARRAY(
           SELECT COALESCE(pg_catalog.pg_get_indexdef(i.indexrelid, k.position::integer, false), '')
             FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS k(number, position)
            WHERE k.number = 0
            ORDER BY k.position
       ) END AS expressions,
       CASE WHEN i.indpred IS NOT NULL
            THEN COALESCE(pg_catalog.pg_get_expr(i.indpred, i.indrelid), '')
       END AS predicate,
       COALESCE(pg_catalog.pg_get_indexdef(i.indexrelid), '') AS definition
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname NOT LIKE 'pg\_%'
   AND n.nspname <> 'information_schema'
 ORDER BY i.indrelid, c.relname;
