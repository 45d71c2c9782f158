-- Purpose: what the server is: version, role, and what tells a Supabase project from any other database.
--   supautils' settings are visible where the library is loaded; the roles exist on every Supabase database.
--   auth.users may be hidden from this role by a missing USAGE on its schema; pg_class shows it all the same.
-- Minimum server version: 14
SELECT pg_catalog.current_setting('server_version') AS version,
       pg_catalog.current_database()::text AS database,
       CURRENT_USER::text AS "user",
       SESSION_USER::text AS session_user,
       EXISTS (
           SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname IN (SESSION_USER, CURRENT_USER) AND r.rolsuper
       ) AS is_superuser,
       pg_catalog.pg_is_in_recovery() AS standby,
       pg_catalog.current_setting('default_transaction_read_only') = 'on' AS default_read_only,
       EXISTS (
           SELECT 1
             FROM pg_catalog.pg_class AS c
             JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = 'auth' AND c.relname = 'users' AND c.relkind IN ('r', 'p')
       ) AS has_auth_users,
       (
           SELECT pg_catalog.count(*)
             FROM pg_catalog.pg_roles AS r
            WHERE r.rolname IN ('supabase_admin', 'supabase_auth_admin', 'authenticator')
       ) = 3 AS has_supabase_roles,
       (
           SELECT s.setting
             FROM pg_catalog.pg_settings AS s
            WHERE s.name = 'supautils.privileged_role'
       ) AS privileged_role,
       EXISTS (
           SELECT 1
             FROM pg_catalog.pg_settings AS s
            WHERE s.name LIKE 'supautils.%'
       ) AS has_supautils;
