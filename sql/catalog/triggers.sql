-- Purpose: the triggers of users, each table's in the byte order of their names, as the server fires them
--   (pg_trigger.tgname has collation "C").
--   Left out: internal ones (foreign keys), the clones on partitions (tgparentid), and those that an extension made or
--   that call an extension's function on an extension's table.
--   definition only where there is a WHEN condition: pg_get_expr refuses an expression over both OLD and NEW.
--   arguments: tgargs is one bytea, each argument ended by a zero byte, in the database's encoding.
-- Minimum server version: 14
SELECT g.oid::bigint AS oid,
       g.tgname::text AS name,
       g.tgrelid::bigint AS "table",
       g.tgfoid::bigint AS function,
       g.tgtype::integer AS type,
       g.tgattr::pg_catalog.int2[]::integer[] AS columns,
       CASE WHEN g.tgqual IS NOT NULL THEN COALESCE(pg_catalog.pg_get_triggerdef(g.oid), '') END AS definition,
       g.tgenabled::text AS enabled,
       g.tgconstraint <> 0 AS "constraint",
       g.tgdeferrable AS deferrable,
       g.tginitdeferred AS initially_deferred,
       g.tgoldtable::text AS old_table,
       g.tgnewtable::text AS new_table,
       CASE WHEN g.tgnargs > 0 THEN ARRAY(
           SELECT pg_catalog.convert_from(pg_catalog.decode(x.hex, 'hex'), pg_catalog.getdatabaseencoding())
             FROM pg_catalog.regexp_split_to_table(
                      pg_catalog.regexp_replace(pg_catalog.encode(g.tgargs, 'hex'), '(..)', '\1 ', 'g'), '00 '
                  ) WITH ORDINALITY AS x(hex, position)
            WHERE x.position <= g.tgnargs
            ORDER BY x.position
       ) END AS arguments
  FROM pg_catalog.pg_trigger AS g
  JOIN pg_catalog.pg_class AS c ON c.oid = g.tgrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE NOT g.tgisinternal
   AND g.tgparentid = 0
   AND n.nspname NOT LIKE 'pg\_%'
   AND n.nspname <> 'information_schema'
   AND NOT EXISTS (
       SELECT
         FROM pg_catalog.pg_depend AS e
        WHERE e.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass
          AND e.objid = g.oid
          AND e.deptype = 'e'
   )
   AND NOT (
       EXISTS (
           SELECT
             FROM pg_catalog.pg_depend AS e
            WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
              AND e.objid = g.tgrelid
              AND e.objsubid = 0
              AND e.deptype = 'e'
       )
       AND EXISTS (
           SELECT
             FROM pg_catalog.pg_depend AS e
            WHERE e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
              AND e.objid = g.tgfoid
              AND e.deptype = 'e'
       )
   )
 ORDER BY n.nspname, c.relname, g.tgname;
