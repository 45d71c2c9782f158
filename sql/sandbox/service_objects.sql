-- Purpose: the tables, indexes, functions and the like of these schemas, as schema.name.
-- Parameters: schemas
SELECT DISTINCT n.nspname || '.' || o.name
FROM pg_catalog.pg_namespace n
JOIN (
    SELECT relnamespace AS namespace, relname AS name FROM pg_catalog.pg_class
    UNION ALL
    SELECT pronamespace, proname FROM pg_catalog.pg_proc
    UNION ALL
    SELECT typnamespace, typname FROM pg_catalog.pg_type
) o ON o.namespace = n.oid
WHERE n.nspname = ANY (%(schemas)s);
