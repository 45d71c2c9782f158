-- Purpose: which of the required privileges are missing: the numbers (from 1) of the arrays' entries.
--   A privilege on any column is enough for a table; the columns that a statement uses are required on their own.
--   No answer for roles and objects that are gone. Any role may ask: no membership is needed.
-- Minimum server version: 14
SELECT w.number::integer AS number
  FROM ROWS FROM (
           pg_catalog.unnest(%(roles)s::text[]),
           pg_catalog.unnest(%(kinds)s::text[]),
           pg_catalog.unnest(%(oids)s::bigint[]),
           pg_catalog.unnest(%(privileges)s::text[]),
           pg_catalog.unnest(%(names)s::text[])
       ) WITH ORDINALITY AS w(role, kind, object, privilege, name, number)
  JOIN pg_catalog.pg_roles AS r ON r.rolname = w.role
  LEFT JOIN pg_catalog.pg_attribute AS a
    ON w.kind = 'column'
   AND a.attrelid = w.object::pg_catalog.oid
   AND a.attname = w.name
   AND NOT a.attisdropped
 WHERE NOT CASE w.kind
           WHEN 'schema' THEN pg_catalog.has_schema_privilege(r.oid, w.object::pg_catalog.oid, w.privilege)
           WHEN 'function' THEN pg_catalog.has_function_privilege(r.oid, w.object::pg_catalog.oid, w.privilege)
           WHEN 'sequence' THEN
               -- nextval wants one of the two
               pg_catalog.has_sequence_privilege(
                   r.oid, pg_catalog.to_regclass(w.name)::pg_catalog.oid, w.privilege || ', UPDATE'
               )
           WHEN 'column' THEN
               pg_catalog.has_column_privilege(r.oid, w.object::pg_catalog.oid, a.attnum, w.privilege)
           ELSE CASE
               WHEN w.privilege IN ('DELETE', 'TRUNCATE') THEN
                   pg_catalog.has_table_privilege(r.oid, w.object::pg_catalog.oid, w.privilege)
               ELSE pg_catalog.has_any_column_privilege(r.oid, w.object::pg_catalog.oid, w.privilege)
           END
       END
 ORDER BY w.number;
