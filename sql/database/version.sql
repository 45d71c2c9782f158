-- Purpose: what the server says that it is, and from here on nothing but PostgreSQL's own schema on the path: the
--   database's may put operators of a user before PostgreSQL's.
-- Minimum server version: any, and servers that only speak PostgreSQL's protocol
SELECT pg_catalog.version() AS said, pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
