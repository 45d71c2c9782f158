-- Stand-in for supabase-dbdev: it installs nothing, for the packages lie on the network.

CREATE SCHEMA dbdev;
CREATE FUNCTION dbdev.install(package_name text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
GRANT USAGE ON SCHEMA dbdev TO PUBLIC;
