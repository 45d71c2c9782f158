-- Purpose: the objects that are there, each with the number of the statement that last defined it, from the log of
--   watch.sql. A trigger's is the one that switched it, where that is not how its CREATE TRIGGER left it.
--   Names as the catalog's model has them: with pg_temp last and nothing else on the path, types get their schemas.
--   source: a function's own text; NULL for BEGIN ATOMIC and RETURN, of which the server keeps the meaning alone.
-- Minimum server version: 14
WITH defined AS MATERIALIZED (
    SELECT DISTINCT ON (e.classid, e.objid) e.statement, e.classid, e.objid
      FROM _trigger_audit_log.entry AS e
      LEFT JOIN pg_catalog.pg_trigger AS g
        ON e.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND g.oid = e.objid
     ORDER BY e.classid, e.objid, (e.made AND e.state IS NOT DISTINCT FROM g.tgenabled::pg_catalog.text) DESC,
              e.number DESC
)
SELECT d.statement, 'function' AS kind,
       n.nspname || '.' || p.proname || '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')' AS name,
       CASE WHEN p.prosqlbody IS NULL THEN p.prosrc END AS source, NULL AS "constraint",
       NULL::pg_catalog.text[] AS columns
  FROM defined AS d
  JOIN pg_catalog.pg_proc AS p ON p.oid = d.objid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
 WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
   AND d.statement IS NOT NULL
UNION ALL
SELECT d.statement, 'table', n.nspname || '.' || c.relname, NULL, NULL, NULL
  FROM defined AS d
  JOIN pg_catalog.pg_class AS c ON c.oid = d.objid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
   AND d.statement IS NOT NULL
   AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
UNION ALL
SELECT d.statement, 'trigger', n.nspname || '.' || c.relname || '.' || g.tgname, NULL, NULL, NULL
  FROM defined AS d
  JOIN pg_catalog.pg_trigger AS g ON g.oid = d.objid
  JOIN pg_catalog.pg_class AS c ON c.oid = g.tgrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass
   AND d.statement IS NOT NULL
UNION ALL
SELECT d.statement, 'constraint', n.nspname || '.' || c.relname || '.' || k.conname, NULL,
       k.contype::pg_catalog.text,
       ARRAY(
           SELECT a.attname::pg_catalog.text
             FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u(attnum, position)
             JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.attnum
            ORDER BY u.position
       )
  FROM defined AS d
  JOIN pg_catalog.pg_constraint AS k ON k.oid = d.objid
  JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
   AND d.statement IS NOT NULL
   AND k.contype NOT IN ('n', 't')
UNION ALL
SELECT d.statement, 'policy', n.nspname || '.' || c.relname || '.' || o.polname, NULL, NULL, NULL
  FROM defined AS d
  JOIN pg_catalog.pg_policy AS o ON o.oid = d.objid
  JOIN pg_catalog.pg_class AS c ON c.oid = o.polrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass
   AND d.statement IS NOT NULL
 ORDER BY kind, name;
