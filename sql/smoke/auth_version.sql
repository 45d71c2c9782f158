-- Auth's newest migration, NULL where there is none. Server 14 and later. Runs as Auth's role, which owns the table.
SELECT pg_catalog.max(m.version::pg_catalog.text) AS newest
FROM auth.schema_migrations AS m
WHERE m.version::pg_catalog.text OPERATOR(pg_catalog.~) '^[0-9]{14}$';
