-- Stand-in for pg_tle: what is installed through it is not there.

CREATE FUNCTION pgtle.install_extension(
    name text, version text, description text, ext text, requires text[] DEFAULT NULL, encoding text DEFAULT NULL
) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION pgtle.install_update_path(name text, fromvers text, tovers text, ext text) RETURNS boolean LANGUAGE sql
    AS 'SELECT true';
CREATE FUNCTION pgtle.uninstall_extension(extname text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION pgtle.uninstall_extension_if_exists(extname text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION pgtle.set_default_version(name text, version text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION pgtle.available_extensions() RETURNS TABLE (name name, default_version text, comment text) LANGUAGE sql
    AS 'SELECT NULL::name, NULL::text, NULL::text WHERE false';
GRANT USAGE ON SCHEMA pgtle TO PUBLIC;
