-- The roles of a Supabase project with attributes, memberships and settings, as since April 2025:
-- postgres is no superuser and no member of the service administrators.
-- supabase_admin is the bootstrap superuser and exists already. Roles belong to the whole cluster: runs once a cluster.

CREATE ROLE postgres LOGIN CREATEROLE CREATEDB REPLICATION BYPASSRLS;
CREATE ROLE supabase_auth_admin LOGIN CREATEROLE NOINHERIT;
CREATE ROLE supabase_storage_admin LOGIN CREATEROLE NOINHERIT;
CREATE ROLE supabase_functions_admin LOGIN CREATEROLE NOINHERIT;
CREATE ROLE supabase_realtime_admin NOLOGIN NOINHERIT;
CREATE ROLE supabase_replication_admin LOGIN REPLICATION;
CREATE ROLE supabase_read_only_user LOGIN BYPASSRLS;
CREATE ROLE supabase_etl_admin LOGIN REPLICATION BYPASSRLS;
CREATE ROLE anon NOLOGIN;
CREATE ROLE authenticated NOLOGIN;
CREATE ROLE service_role NOLOGIN BYPASSRLS;
CREATE ROLE authenticator LOGIN NOINHERIT;
CREATE ROLE dashboard_user NOLOGIN CREATEROLE CREATEDB REPLICATION;
CREATE ROLE pgbouncer LOGIN;
CREATE ROLE supabase_privileged_role NOLOGIN;
CREATE ROLE pgtle_admin NOLOGIN;
CREATE ROLE pgsodium_keyiduser NOLOGIN;
CREATE ROLE pgsodium_keyholder NOLOGIN;
CREATE ROLE pgsodium_keymaker NOLOGIN;

GRANT anon, authenticated, service_role TO authenticator;
GRANT anon, authenticated, service_role TO supabase_storage_admin;
GRANT anon, authenticated, service_role TO postgres WITH ADMIN OPTION;
-- With ADMIN, for postgres may change this role's settings on the platform.
GRANT authenticator TO postgres WITH ADMIN OPTION;
GRANT pgsodium_keyiduser, pgsodium_keyholder, pgsodium_keymaker, pgtle_admin TO postgres WITH ADMIN OPTION;
GRANT supabase_privileged_role TO postgres;
GRANT pg_monitor, pg_read_all_data, pg_signal_backend TO postgres WITH ADMIN OPTION;
GRANT pg_read_all_data TO supabase_read_only_user, supabase_etl_admin;

-- A role's setting holds for a login as that role, not for SET ROLE.
ALTER ROLE postgres SET search_path = "$user", public, extensions;
ALTER ROLE supabase_admin SET search_path = "$user", public, auth, extensions;
ALTER ROLE supabase_auth_admin SET search_path = auth;
ALTER ROLE supabase_auth_admin SET idle_in_transaction_session_timeout = 60000;
ALTER ROLE supabase_auth_admin SET log_statement = 'none';
ALTER ROLE supabase_storage_admin SET search_path = storage;
ALTER ROLE supabase_storage_admin SET log_statement = 'none';
ALTER ROLE supabase_functions_admin SET search_path = supabase_functions;
ALTER ROLE supabase_read_only_user SET default_transaction_read_only = on;
ALTER ROLE anon SET statement_timeout = '3s';
ALTER ROLE authenticated SET statement_timeout = '8s';
ALTER ROLE authenticator SET statement_timeout = '8s';
ALTER ROLE authenticator SET lock_timeout = '8s';

-- supautils lets postgres SET the first, and give a role settings of PostgREST; the grant that comes nearest exists
-- since 15.
DO $$
BEGIN
    IF current_setting('server_version_num')::integer >= 150000 THEN
        EXECUTE 'GRANT SET ON PARAMETER session_replication_role, pgrst.db_schemas, pgrst.db_extra_search_path, '
            'pgrst.db_pre_request, pgrst.db_max_rows, pgrst.db_aggregates_enabled, pgrst.db_plan_enabled, '
            'pgrst.jwt_secret, pgrst.server_timing_enabled TO postgres';
    END IF;
END
$$;

-- Nobody but the superuser reaches the server's files and programs. Before 16 a role with CREATEROLE may grant itself
-- any role that is no superuser's, these too; the server knows them by oid, so that without them nobody is a member.
DELETE FROM pg_catalog.pg_authid
WHERE rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program');

-- Nor what the sandbox keeps for itself; from 16 on nobody grants a role without having it WITH ADMIN OPTION.
DELETE FROM pg_catalog.pg_authid
WHERE rolname = 'pg_write_all_data' AND current_setting('server_version_num')::integer < 160000;
