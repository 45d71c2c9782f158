-- Stand-in for wrappers: the handlers and validators of the wrappers that Supabase offers, and the wrappers themselves by
-- their usual names, for a project may not make one in a block here. A handler only raises an error: a real one
-- (postgres_fdw's, say) would connect to wherever a project's options say.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'airtable', 'auth0', 'big_query', 'click_house', 'cognito', 'duckdb', 'firebase', 'iceberg', 'logflare', 'mssql',
        'redis', 's3', 's3_vectors', 'stripe', 'wasm'
    ] LOOP
        EXECUTE pg_catalog.format(
            'CREATE FUNCTION %I() RETURNS pg_catalog.fdw_handler LANGUAGE internal AS ''fdw_handler_in''',
            pg_catalog.concat(name, '_fdw_handler')
        );
        EXECUTE pg_catalog.format(
            'CREATE FUNCTION %I(options pg_catalog.text[], catalog pg_catalog.oid) RETURNS void LANGUAGE sql AS ''SELECT''',
            pg_catalog.concat(name, '_fdw_validator')
        );
        EXECUTE pg_catalog.format(
            'CREATE FOREIGN DATA WRAPPER %1$I; GRANT USAGE ON FOREIGN DATA WRAPPER %1$I TO postgres WITH GRANT OPTION',
            pg_catalog.concat(pg_catalog.replace(name, '_', ''), '_wrapper')
        );
    END LOOP;
END
$$;
