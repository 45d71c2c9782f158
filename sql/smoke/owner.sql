-- A relation's owner (NULL where that is a superuser), its kind, and whether reading it can run nothing but PostgreSQL's
-- own code: no expression that the planner evaluates (of indexes, statistics, checks, generated columns), no table that
-- is read along with it, and no type of anybody's. Server 14 and later.
SELECT CASE WHEN NOT r.rolsuper THEN r.rolname::pg_catalog.text END AS owner,
       c.relkind::pg_catalog.text AS kind,
       c.relkind OPERATOR(pg_catalog.=) 'r' AND NOT c.relhassubclass AND NOT c.relispartition
         AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_index AS i
           WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
         )
         AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_statistic_ext AS s
           WHERE s.stxrelid OPERATOR(pg_catalog.=) c.oid AND s.stxexprs IS NOT NULL
         )
         AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_constraint AS k
           WHERE k.conrelid OPERATOR(pg_catalog.=) c.oid AND k.contype OPERATOR(pg_catalog.=) 'c'
         )
         AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_attribute AS a
           WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND NOT a.attisdropped
             AND (a.atttypid OPERATOR(pg_catalog.>=) '16384'::pg_catalog.oid
                  OR a.attgenerated OPERATOR(pg_catalog.<>) '')
         ) AS plain
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) c.relowner
WHERE n.nspname OPERATOR(pg_catalog.=) %(schema)s::pg_catalog.text
  AND c.relname OPERATOR(pg_catalog.=) %(relation)s::pg_catalog.text;
