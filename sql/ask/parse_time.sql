-- Purpose: what PostgreSQL may run of the database's while it merely parses a statement: the CHECKs of domains, when the
--   literal of an array, a composite or a range of the domain is read. (A range's own functions are C.) No row unless the
--   session has, or can go back to, a superuser's rights. One row for each function that is not harmless there.
--   Harmless are C and internal functions that are IMMUTABLE, or built in, STABLE and of plain arguments: functions with
--   arguments of any type run casts of users' types (to_json), *_to_xml queries of tables; and what an extension's
--   superuser has made IMMUTABLE. Expressions are read from their node trees: pg_depend leaves out what is built in.
-- Minimum server version: 14
WITH called(place, function) AS (
    SELECT 'the CHECK of domain ' || pg_catalog.format_type(k.contypid, NULL),
           CASE m.found[1]
               WHEN 'opno' THEN (
                   SELECT o.oprcode::pg_catalog.oid
                     FROM pg_catalog.pg_operator AS o
                    WHERE o.oid = m.found[2]::pg_catalog.oid
               )
               ELSE m.found[2]::pg_catalog.oid
           END
      FROM pg_catalog.pg_constraint AS k
     CROSS JOIN LATERAL pg_catalog.regexp_matches(k.conbin::text, ':(funcid|opno) ([0-9]+)', 'g') AS m(found)
     WHERE k.contypid >= 16384
       AND k.conbin IS NOT NULL
)
SELECT c.place,
       n.nspname::text AS schema,
       p.proname::text AS name
  FROM called AS c
  JOIN pg_catalog.pg_proc AS p ON p.oid = c.function
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
 WHERE EXISTS (
           SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname IN (SESSION_USER, CURRENT_USER) AND r.rolsuper
       )
   AND CASE
           WHEN l.lanname IN ('internal', 'c') AND p.provolatile = 'i' THEN false
           WHEN p.oid < 16384 AND p.provolatile = 's' THEN
               p.proname LIKE '%to\_xml%'
               OR EXISTS (
                   SELECT FROM pg_catalog.unnest(p.proargtypes::pg_catalog.oid[]) AS a(type)
                     JOIN pg_catalog.pg_type AS t ON t.oid = a.type
                    WHERE t.typtype = 'p'
               )
           WHEN p.oid >= 16384 AND p.provolatile = 'i' THEN NOT EXISTS (
               SELECT FROM pg_catalog.pg_depend AS d
                 JOIN pg_catalog.pg_roles AS o ON o.oid = p.proowner AND o.rolsuper
                WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                  AND d.objid = p.oid
                  AND d.deptype = 'e'
           )
           ELSE true
       END
 ORDER BY c.place, n.nspname, p.proname;
