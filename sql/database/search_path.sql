-- Purpose: the search_path that the session began with, which RESET would bring back.
-- Minimum server version: 14
SELECT reset_val FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) 'search_path';
