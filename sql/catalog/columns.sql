-- Purpose: the columns of tables, views and composite types.
--   An expression that is there but that the server no longer deparses ('', dropped meanwhile) is told from none (NULL).
-- Minimum server version: 14
SELECT a.attrelid::bigint AS "table",
       a.attname::text AS name,
       a.attnum::integer AS number,
       a.atttypid::bigint AS type_oid,
       pg_catalog.format_type(a.atttypid, a.atttypmod) AS type_name,
       a.atttypmod AS type_modifier,
       a.attnotnull AS not_null,
       CASE
           WHEN a.attgenerated = '' AND d.adbin IS NOT NULL
           THEN COALESCE(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '')
       END AS "default",
       a.attidentity::text AS identity,
       a.attgenerated::text AS generated
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef
 WHERE a.attnum > 0
   AND NOT a.attisdropped
   AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
   AND n.nspname NOT LIKE 'pg\_%'
   AND n.nspname <> 'information_schema'
 ORDER BY a.attrelid, a.attnum;
