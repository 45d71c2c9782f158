-- Constraints that start a transaction deferred, and whether a name stands for a constraint that cannot be deferred too
-- (SET CONSTRAINTS takes a name for all constraints of the schema that bear it, and refuses those). Server 14 and later.
SELECT n.nspname::pg_catalog.text AS schema_name,
       c.conname::pg_catalog.text AS constraint_name,
       pg_catalog.has_schema_privilege(n.oid, 'USAGE')
         AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_constraint AS other
           WHERE other.connamespace = c.connamespace AND other.conname = c.conname AND NOT other.condeferrable
         ) AS nameable
FROM pg_catalog.pg_constraint AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.connamespace
WHERE c.condeferred AND c.conparentid = 0 AND NOT pg_catalog.pg_is_other_temp_schema(n.oid)
GROUP BY n.oid, n.nspname, c.connamespace, c.conname
ORDER BY n.nspname, c.conname;
