-- Purpose: let the server notice during a statement that the client is gone.
-- Minimum server version: 14
SELECT pg_catalog.set_config('client_connection_check_interval', '2000', true);
