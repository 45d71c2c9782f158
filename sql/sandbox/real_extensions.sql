-- Purpose: the rights that the platform gives on the objects of real extensions, where their own scripts do not: when
--   they are created there, scripts and event triggers of the image's do, which are not in a database made anew.
-- Minimum server version: 14
DO $$
DECLARE
    each record;
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_net') THEN
        GRANT USAGE ON SCHEMA net TO supabase_functions_admin, postgres, anon, authenticated, service_role;
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pgsodium') THEN
        GRANT USAGE ON SCHEMA pgsodium TO postgres, service_role;
    END IF;
    FOR each IN
        SELECT p.oid::pg_catalog.regprocedure AS name
          FROM pg_catalog.pg_extension AS e
          JOIN pg_catalog.pg_depend AS d
            ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid
           AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.deptype = 'e'
          JOIN pg_catalog.pg_proc AS p ON p.oid = d.objid
         WHERE (e.extname = 'supabase_vault' AND p.proname IN ('create_secret', 'update_secret', '_crypto_aead_det_decrypt'))
            OR (e.extname = 'pgsodium' AND p.proname LIKE 'crypto\_aead\_det\_%')
    LOOP
        EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO postgres, service_role', each.name);
    END LOOP;
    FOR each IN
        SELECT c.oid::pg_catalog.regclass AS name
          FROM pg_catalog.pg_extension AS e
          JOIN pg_catalog.pg_depend AS d
            ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid
           AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'e'
          JOIN pg_catalog.pg_class AS c ON c.oid = d.objid
         WHERE e.extname = 'supabase_vault'
           AND c.relname IN ('secrets', 'decrypted_secrets')
    LOOP
        EXECUTE pg_catalog.format('GRANT SELECT, DELETE ON %s TO postgres, service_role', each.name);
    END LOOP;
END
$$;
