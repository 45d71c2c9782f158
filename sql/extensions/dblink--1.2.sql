-- Stand-in for dblink: the real one would work in another server while files are applied. Connections are taken as made,
-- statements as done; every query gives no rows.

CREATE FUNCTION dblink_connect(text) RETURNS text LANGUAGE sql STRICT AS $$SELECT 'OK'::text$$;
CREATE FUNCTION dblink_connect(text, text) RETURNS text LANGUAGE sql STRICT AS $$SELECT 'OK'::text$$;
CREATE FUNCTION dblink_disconnect() RETURNS text LANGUAGE sql STRICT AS $$SELECT 'OK'::text$$;
CREATE FUNCTION dblink_disconnect(text) RETURNS text LANGUAGE sql STRICT AS $$SELECT 'OK'::text$$;
CREATE FUNCTION dblink_exec(text) RETURNS text LANGUAGE sql STRICT AS $$SELECT 'OK'::text$$;
CREATE FUNCTION dblink_exec(text, boolean) RETURNS text LANGUAGE sql STRICT AS $$SELECT 'OK'::text$$;
CREATE FUNCTION dblink_exec(text, text) RETURNS text LANGUAGE sql STRICT AS $$SELECT 'OK'::text$$;
CREATE FUNCTION dblink_exec(text, text, boolean) RETURNS text LANGUAGE sql STRICT AS $$SELECT 'OK'::text$$;
CREATE FUNCTION dblink_open(text, text) RETURNS text LANGUAGE sql STRICT AS $$SELECT 'OK'::text$$;
CREATE FUNCTION dblink_open(text, text, text) RETURNS text LANGUAGE sql STRICT AS $$SELECT 'OK'::text$$;
CREATE FUNCTION dblink_close(text) RETURNS text LANGUAGE sql STRICT AS $$SELECT 'OK'::text$$;
CREATE FUNCTION dblink_close(text, text) RETURNS text LANGUAGE sql STRICT AS $$SELECT 'OK'::text$$;
CREATE FUNCTION dblink_send_query(text, text) RETURNS integer LANGUAGE sql STRICT AS 'SELECT 1';
CREATE FUNCTION dblink_is_busy(text) RETURNS integer LANGUAGE sql STRICT AS 'SELECT 0';
CREATE FUNCTION dblink_cancel_query(text) RETURNS text LANGUAGE sql STRICT AS $$SELECT 'OK'::text$$;
CREATE FUNCTION dblink_error_message(text) RETURNS text LANGUAGE sql STRICT AS $$SELECT 'OK'::text$$;
CREATE FUNCTION dblink_get_connections() RETURNS text[] LANGUAGE sql AS $$SELECT '{}'::text[]$$;
CREATE FUNCTION dblink_current_query() RETURNS text LANGUAGE sql AS 'SELECT pg_catalog.current_query()';

-- PL/pgSQL, for such a function may end without a row and need not know which columns its caller asks for.
CREATE FUNCTION dblink(text) RETURNS SETOF record LANGUAGE plpgsql STRICT AS 'BEGIN RETURN; END';
CREATE FUNCTION dblink(text, boolean) RETURNS SETOF record LANGUAGE plpgsql STRICT AS 'BEGIN RETURN; END';
CREATE FUNCTION dblink(text, text) RETURNS SETOF record LANGUAGE plpgsql STRICT AS 'BEGIN RETURN; END';
CREATE FUNCTION dblink(text, text, boolean) RETURNS SETOF record LANGUAGE plpgsql STRICT AS 'BEGIN RETURN; END';
CREATE FUNCTION dblink_fetch(text, integer) RETURNS SETOF record LANGUAGE plpgsql STRICT AS 'BEGIN RETURN; END';
CREATE FUNCTION dblink_fetch(text, text, integer) RETURNS SETOF record LANGUAGE plpgsql STRICT AS 'BEGIN RETURN; END';
CREATE FUNCTION dblink_get_result(text) RETURNS SETOF record LANGUAGE plpgsql STRICT AS 'BEGIN RETURN; END';
CREATE FUNCTION dblink_get_result(text, boolean) RETURNS SETOF record LANGUAGE plpgsql STRICT AS 'BEGIN RETURN; END';

CREATE FUNCTION dblink_fdw_validator(options text[], catalog oid) RETURNS void LANGUAGE sql AS 'SELECT';
CREATE FOREIGN DATA WRAPPER dblink_fdw;
GRANT USAGE ON FOREIGN DATA WRAPPER dblink_fdw TO postgres WITH GRANT OPTION;
