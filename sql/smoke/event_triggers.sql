-- The event triggers that fire in an ordinary session when functions, triggers or tables are made or changed.
SELECT e.evtname AS name, n.nspname AS schema_name, p.proname AS function_name
FROM pg_catalog.pg_event_trigger AS e
JOIN pg_catalog.pg_proc AS p ON p.oid OPERATOR(pg_catalog.=) e.evtfoid
JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
WHERE e.evtenabled OPERATOR(pg_catalog.=) ANY ('{O,A}')
  AND e.evtevent OPERATOR(pg_catalog.=) ANY ('{ddl_command_start,ddl_command_end}')
ORDER BY e.evtname;
