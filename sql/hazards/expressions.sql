-- Purpose: every expression that an object stores and that the server runs on its own, with what it refers to:
--   functions (those behind operators, casts and aggregates too), relations and types, by oid.
--   They are read from the expression's node tree, where each call bears its function's oid. pg_depend would not do: it
--   leaves out whatever is built in (pg_advisory_lock, lo_export).
--   owner: the table, the domain ('domain ...') or the function ('argument default').
--   command: a policy's polcmd, a rule's ev_type, a trigger's tgtype. definition: a rule's own text.
--   Constants stand in a tree as bytes, and blanks in names are escaped: neither can look like a reference.
-- Minimum server version: 14
WITH spaces AS (
    SELECT n.oid
      FROM pg_catalog.pg_namespace AS n
     WHERE n.nspname NOT LIKE 'pg\_%'
       AND n.nspname <> 'information_schema'
), relations AS (
    SELECT c.oid, c.relkind
      FROM pg_catalog.pg_class AS c
      JOIN spaces AS s ON s.oid = c.relnamespace
), trees(kind, owner, name, command, rule, tree) AS (
    SELECT CASE WHEN a.attgenerated = '' THEN 'default' ELSE 'generated' END,
           d.adrelid, a.attname::text, a.attgenerated::text, 0::pg_catalog.oid, d.adbin::text
      FROM pg_catalog.pg_attrdef AS d
      JOIN relations AS c ON c.oid = d.adrelid
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
     UNION ALL
    SELECT 'constraint', k.conrelid, k.conname::text, '', 0, k.conbin::text
      FROM pg_catalog.pg_constraint AS k
      JOIN relations AS c ON c.oid = k.conrelid
     WHERE k.conbin IS NOT NULL
     UNION ALL
    SELECT 'domain constraint', k.contypid, k.conname::text, '', 0, k.conbin::text
      FROM pg_catalog.pg_constraint AS k
      JOIN pg_catalog.pg_type AS t ON t.oid = k.contypid
      JOIN spaces AS s ON s.oid = t.typnamespace
     WHERE k.conbin IS NOT NULL
     UNION ALL
    SELECT 'domain default', t.oid, t.typname::text, '', 0, t.typdefaultbin::text
      FROM pg_catalog.pg_type AS t
      JOIN spaces AS s ON s.oid = t.typnamespace
     WHERE t.typdefaultbin IS NOT NULL
     UNION ALL
    SELECT 'policy', p.polrelid, p.polname::text, p.polcmd::text, 0,
           pg_catalog.concat(p.polqual::text, ' ', p.polwithcheck::text)
      FROM pg_catalog.pg_policy AS p
     UNION ALL
    SELECT 'index', i.indrelid, x.relname::text, '', 0,
           pg_catalog.concat(i.indexprs::text, ' ', i.indpred::text)
      FROM pg_catalog.pg_index AS i
      JOIN relations AS c ON c.oid = i.indrelid
      JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
     WHERE i.indexprs IS NOT NULL
        OR i.indpred IS NOT NULL
     UNION ALL
    SELECT 'rule', r.ev_class, r.rulename::text, r.ev_type::text,
           CASE WHEN r.rulename = '_RETURN' THEN 0 ELSE r.oid END,
           pg_catalog.concat(r.ev_qual::text, ' ', r.ev_action::text)
      FROM pg_catalog.pg_rewrite AS r
      JOIN relations AS c ON c.oid = r.ev_class
     WHERE c.relkind <> 'm'
       AND r.ev_enabled IN ('O', 'A')
     UNION ALL
    SELECT 'trigger', g.tgrelid, g.tgname::text, g.tgtype::text, 0, g.tgqual::text
      FROM pg_catalog.pg_trigger AS g
      JOIN relations AS c ON c.oid = g.tgrelid
     WHERE g.tgqual IS NOT NULL
       AND g.tgenabled IN ('O', 'A')
     UNION ALL
    SELECT 'partition key', p.partrelid, '', '', 0, p.partexprs::text
      FROM pg_catalog.pg_partitioned_table AS p
      JOIN relations AS c ON c.oid = p.partrelid
     WHERE p.partexprs IS NOT NULL
     UNION ALL
    SELECT 'argument default', p.oid, p.proname::text, '', 0, p.proargdefaults::text
      FROM pg_catalog.pg_proc AS p
      JOIN spaces AS s ON s.oid = p.pronamespace
     WHERE p.proargdefaults IS NOT NULL
)
SELECT t.kind,
       t.owner::bigint AS owner,
       t.name,
       t.command,
       COALESCE(x.functions, '{}') AS functions,
       COALESCE(x.relations, '{}') AS relations,
       COALESCE(x.types, '{}') AS types,
       CASE WHEN t.rule <> 0 THEN COALESCE(pg_catalog.pg_get_ruledef(t.rule), '') END AS definition
  FROM trees AS t
 CROSS JOIN LATERAL (
       SELECT pg_catalog.array_agg(DISTINCT CASE
                  WHEN m.found[1] IN ('eqop', 'sortop') THEN (
                      SELECT o.oprcode::pg_catalog.oid::bigint
                        FROM pg_catalog.pg_operator AS o
                       WHERE o.oid = m.found[2]::pg_catalog.oid
                  )
                  ELSE m.found[2]::bigint
              END) FILTER (WHERE m.found[1] NOT IN ('relid', 'resulttype') AND m.found[2] <> '0') AS functions,
              pg_catalog.array_agg(DISTINCT m.found[2]::bigint)
                  FILTER (WHERE m.found[1] = 'relid' AND m.found[2] <> '0') AS relations,
              pg_catalog.array_agg(DISTINCT m.found[2]::bigint)
                  FILTER (WHERE m.found[1] = 'resulttype' AND m.found[2]::bigint >= 16384) AS types
         FROM pg_catalog.regexp_matches(
                  t.tree, ':(funcid|opfuncid|aggfnoid|winfnoid|eqop|sortop|relid|resulttype) ([0-9]+)', 'g'
              ) AS m(found)
      ) AS x
 WHERE x.functions IS NOT NULL
    OR x.relations IS NOT NULL
    OR x.types IS NOT NULL
    OR t.rule <> 0
 ORDER BY t.kind, t.owner, t.name, t.command;
