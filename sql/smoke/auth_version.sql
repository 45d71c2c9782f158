-- Auth's newest migration, NULL where there is none. Server 14 and later. Runs as Auth's role, which owns the table.
-- concat and not a cast: the column may have become a type with a cast function of its maker's.
SELECT ARRAY[pg_catalog.max(pg_catalog.concat(m.version))] AS newest
FROM auth.schema_migrations AS m
WHERE pg_catalog.concat(m.version) OPERATOR(pg_catalog.~) '^[0-9]{14}$';
