-- Purpose: what PostgreSQL runs or reaches without its name in the text, by oid; name as the kind needs it.
--   operator (name: its symbol) -> its function; cast (name: the target type's) -> its function; aggregate -> its
--   support functions; range -> its canonical and difference functions; index (of a table) -> the support functions and
--   operators of its classes; event (name: the event trigger's) -> its function; child (of a parent table); sequence
--   (of a table; name: the column's) -> the sequence that fills the column; program (a foreign table, no target).
--   Built-in operators, casts, aggregates, ranges and operator classes are left out (their oids are below 16384).
-- Minimum server version: 14
SELECT 'operator' AS kind, 0::bigint AS source, o.oprname::text AS name, o.oprcode::pg_catalog.oid::bigint AS target
  FROM pg_catalog.pg_operator AS o
 WHERE o.oid >= 16384
 UNION ALL
SELECT 'cast', 0, t.typname::text, c.castfunc::bigint
  FROM pg_catalog.pg_cast AS c
  JOIN pg_catalog.pg_type AS t ON t.oid = c.casttarget
 WHERE c.castfunc <> 0
   AND c.oid >= 16384
 UNION ALL
SELECT 'aggregate', a.aggfnoid::pg_catalog.oid::bigint, '', f.oid::bigint
  FROM pg_catalog.pg_aggregate AS a
 CROSS JOIN LATERAL pg_catalog.unnest(ARRAY[
           a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn,
           a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn
       ]::pg_catalog.oid[]) AS f(oid)
 WHERE a.aggfnoid::pg_catalog.oid >= 16384
   AND f.oid <> 0
 UNION ALL
SELECT 'range', r.rngtypid::bigint, '', f.oid::bigint
  FROM pg_catalog.pg_range AS r
 CROSS JOIN LATERAL pg_catalog.unnest(ARRAY[r.rngcanonical, r.rngsubdiff]::pg_catalog.oid[]) AS f(oid)
 WHERE r.rngtypid >= 16384
 UNION ALL
SELECT 'index', i.indrelid::bigint, '', f.oid::bigint
  FROM pg_catalog.pg_index AS i
 CROSS JOIN LATERAL pg_catalog.unnest(i.indclass::pg_catalog.oid[]) AS k(oid)
  JOIN pg_catalog.pg_opclass AS c ON c.oid = k.oid AND c.oid >= 16384
 CROSS JOIN LATERAL (
           SELECT p.amproc::pg_catalog.oid
             FROM pg_catalog.pg_amproc AS p
            WHERE p.amprocfamily = c.opcfamily
            UNION
           SELECT o.oprcode::pg_catalog.oid
             FROM pg_catalog.pg_amop AS a
             JOIN pg_catalog.pg_operator AS o ON o.oid = a.amopopr
            WHERE a.amopfamily = c.opcfamily
       ) AS f(oid)
 UNION ALL
SELECT 'event', 0, e.evtname::text, e.evtfoid::bigint
  FROM pg_catalog.pg_event_trigger AS e
 WHERE e.evtenabled IN ('O', 'A')
   AND e.evtevent <> 'login'
 UNION
SELECT 'child', i.inhparent::bigint, '', i.inhrelid::bigint
  FROM pg_catalog.pg_inherits AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid AND c.relkind IN ('r', 'p', 'f')
 UNION
SELECT 'sequence', d.adrelid::bigint, a.attname::text, s.oid::bigint
  FROM pg_catalog.pg_attrdef AS d
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
  JOIN pg_catalog.pg_depend AS e
    ON e.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
   AND e.objid = d.oid
   AND e.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  JOIN pg_catalog.pg_class AS s ON s.oid = e.refobjid AND s.relkind = 'S'
 UNION
SELECT 'sequence', a.attrelid::bigint, a.attname::text, s.oid::bigint
  FROM pg_catalog.pg_depend AS e
  JOIN pg_catalog.pg_class AS s ON s.oid = e.objid AND s.relkind = 'S'
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = e.refobjid AND a.attnum = e.refobjsubid AND a.attidentity <> ''
 WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
   AND e.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
   AND e.deptype = 'i'
 UNION
SELECT 'program', f.ftrelid::bigint, '', 0
  FROM pg_catalog.pg_foreign_table AS f
 WHERE EXISTS (SELECT FROM pg_catalog.unnest(f.ftoptions) AS o(option) WHERE o.option LIKE 'program=%')
 ORDER BY 1, 2, 3, 4;
