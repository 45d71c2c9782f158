-- The extensions that the server can install.
SELECT name FROM pg_catalog.pg_available_extensions;
