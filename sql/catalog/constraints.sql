-- Purpose: constraints of tables.
--   Left out: NOT NULL (18 keeps a row for each, older servers none; the column says it on all of them), and the rows by
--   which a foreign key to a partitioned table is repeated for each of its partitions.
--   enforced: NOT ENFORCED exists from 18 on, so the column is read through to_jsonb.
-- Minimum server version: 14
SELECT k.conrelid::bigint AS "table",
       k.conname::text AS name,
       k.contype::text AS kind,
       k.conkey::integer[] AS columns,
       NULLIF(k.confrelid, 0)::bigint AS "references",
       k.confkey::integer[] AS referenced_columns,
       CASE WHEN k.contype = 'f' THEN k.confdeltype::text ELSE '' END AS on_delete,
       CASE WHEN k.contype = 'f' THEN k.confupdtype::text ELSE '' END AS on_update,
       k.condeferrable AS deferrable,
       k.condeferred AS initially_deferred,
       k.convalidated AS validated,
       COALESCE((pg_catalog.to_jsonb(k) ->> 'conenforced')::boolean, true) AS enforced,
       COALESCE(pg_catalog.pg_get_constraintdef(k.oid), '') AS definition
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_namespace AS n ON n.oid = k.connamespace
  LEFT JOIN pg_catalog.pg_constraint AS p ON p.oid = k.conparentid
 WHERE k.conrelid <> 0
   AND k.contype <> 'n'
   AND NOT (k.contype = 'f' AND p.oid IS NOT NULL AND p.conrelid = k.conrelid)
   AND n.nspname NOT LIKE 'pg\_%'
   AND n.nspname <> 'information_schema'
 ORDER BY k.conrelid, k.conname, k.contype;
