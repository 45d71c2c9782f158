-- Stand-in for postgres_fdw: servers and foreign tables can be made. The real one would connect to another server while
-- files are applied; here the wrapper has no handler, and whoever reads such a table gets an error.

CREATE FUNCTION postgres_fdw_handler() RETURNS pg_catalog.fdw_handler LANGUAGE internal AS 'fdw_handler_in';
CREATE FUNCTION postgres_fdw_validator(options text[], catalog oid) RETURNS void LANGUAGE sql AS 'SELECT';
CREATE FUNCTION postgres_fdw_get_connections() RETURNS TABLE (server_name text, valid boolean) LANGUAGE sql
    AS 'SELECT NULL::text, NULL::boolean WHERE false';
CREATE FUNCTION postgres_fdw_disconnect(text) RETURNS boolean LANGUAGE sql STRICT AS 'SELECT false';
CREATE FUNCTION postgres_fdw_disconnect_all() RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE FOREIGN DATA WRAPPER postgres_fdw;
GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO postgres WITH GRANT OPTION;
