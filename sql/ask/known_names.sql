-- Purpose: the names of all functions and types, whatever their schema, in lower case. Each table and view has a type
--   of its name.
-- Minimum server version: 14
SELECT pg_catalog.lower(proname::text) AS name FROM pg_catalog.pg_proc
UNION
SELECT pg_catalog.lower(typname::text) FROM pg_catalog.pg_type
 ORDER BY name;
