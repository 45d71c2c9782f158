-- Who we are, what the server lets us do, and which settings it knows. Server 14 and later.
SELECT pg_catalog.pg_is_in_recovery() AS standby,
       pg_catalog.current_setting('default_transaction_read_only') AS read_only,
       pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version,
       session_user::pg_catalog.text AS session_user,
       current_user::pg_catalog.text AS current_user,
       (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = session_user) AS superuser,
       EXISTS (
         SELECT FROM pg_catalog.pg_roles WHERE rolname IN (session_user, current_user) AND rolsuper
       ) AS reaches_superuser,
       (SELECT rolsuper OR rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = current_user) AS bypasses_rls,
       EXISTS (
         SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = 'auth' AND c.relname = 'users' AND c.relkind IN ('r', 'p')
       ) AS has_users,
       EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = %(role)s) AS has_role,
       ARRAY(
         SELECT name FROM pg_catalog.pg_settings WHERE name = ANY (%(settings)s)
       ) AS settings;
