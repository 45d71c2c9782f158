-- The columns that can be written of every table in schema auth, and whether the current role may write or read it.
-- Server 14 and later. row_security_active is true where policies apply to the current role.
SELECT c.relname::pg_catalog.text AS table_name,
       pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) AS columns,
       ARRAY(
         SELECT u.conname::pg_catalog.text FROM pg_catalog.pg_constraint AS u
         WHERE u.conrelid = c.oid AND u.contype IN ('p', 'u')
         ORDER BY u.conname
       ) AS unique_constraints,
       pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE')
         AND pg_catalog.has_table_privilege(c.oid, 'INSERT')
         AND pg_catalog.has_table_privilege(c.oid, 'UPDATE')
         AND pg_catalog.has_table_privilege(c.oid, 'DELETE')
         AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS writable,
       pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE')
         AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable,
       pg_catalog.row_security_active(c.oid) AS row_security
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'auth') AND c.relkind IN ('r', 'p')
GROUP BY c.oid, c.relname
ORDER BY c.relname;
