-- The id of the present transaction, which gets one by this where it has none yet. Server 13 and later.
SELECT pg_catalog.pg_current_xact_id();
