-- Sources of functions that say something of what a transaction takes along when it ends: temporary tables, parameters,
-- cursors, that it can only read. Server 14 and later.
SELECT p.prosrc
FROM pg_catalog.pg_proc AS p
WHERE p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace
  AND p.prosrc ~* 'on\s+commit|\mset\s+local\M|set_config|cursor|read\s+only|read_only';
