-- Purpose: roles, the roles whose rights each inherits directly, and their settings.
--   inherits: up to 15 the member's INHERIT attribute decides, from 16 on the grant's own inherit_option, which is read
--   through to_jsonb because the column does not exist before. The database's owner is a member of pg_database_owner
--   without any row in pg_auth_members.
-- Minimum server version: 14
SELECT r.oid::bigint AS oid,
       r.rolname::text AS name,
       r.rolsuper AS superuser,
       r.rolbypassrls AS bypass_rls,
       r.rolinherit AS inherit,
       ARRAY(
           SELECT m.roleid::bigint
             FROM pg_catalog.pg_auth_members AS m
            WHERE m.member = r.oid
              AND COALESCE((pg_catalog.to_jsonb(m) ->> 'inherit_option')::boolean, r.rolinherit)
            UNION
           SELECT o.oid::bigint
             FROM pg_catalog.pg_roles AS o
             JOIN pg_catalog.pg_database AS d ON d.datname = pg_catalog.current_database() AND d.datdba = r.oid
            WHERE o.rolname = 'pg_database_owner'
              AND (r.rolinherit OR pg_catalog.current_setting('server_version_num')::integer >= 160000)
            ORDER BY 1
       ) AS inherits,
       (SELECT s.setconfig
          FROM pg_catalog.pg_db_role_setting AS s
          JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase AND d.datname = pg_catalog.current_database()
         WHERE s.setrole = r.oid) AS database_settings,
       (SELECT s.setconfig
          FROM pg_catalog.pg_db_role_setting AS s
         WHERE s.setrole = r.oid
           AND s.setdatabase = 0) AS settings
  FROM pg_catalog.pg_roles AS r
 ORDER BY r.rolname;
