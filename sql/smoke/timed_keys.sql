-- Unique indexes with a time or a transaction's id in the key. Server 14 and later.
SELECT DISTINCT n.nspname::pg_catalog.text AS schema_name, c.relname::pg_catalog.text AS index_name
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indexrelid AND a.attnum <= i.indnkeyatts
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
WHERE i.indisunique
  AND n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema')
  AND COALESCE(NULLIF(t.typbasetype, 0), t.oid) IN (
    'timestamptz'::pg_catalog.regtype, 'timestamp'::pg_catalog.regtype, 'time'::pg_catalog.regtype,
    'timetz'::pg_catalog.regtype, 'xid8'::pg_catalog.regtype, 'xid'::pg_catalog.regtype
  );
