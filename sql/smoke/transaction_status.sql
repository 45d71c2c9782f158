-- How a transaction ended; NULL where PostgreSQL no longer knows. Server 13 and later.
SELECT pg_catalog.pg_xact_status(%(transaction)s::pg_catalog.xid8);
