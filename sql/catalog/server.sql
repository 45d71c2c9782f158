-- Purpose: the server, the database, who looks, and the settings that apply to every role here (one row).
--   database_settings: ALTER DATABASE ... SET; global_settings: ALTER ROLE ALL SET; both as name=value.
-- Minimum server version: 14
SELECT pg_catalog.current_setting('server_version') AS server_version,
       pg_catalog.current_setting('server_version_num')::integer AS server_version_num,
       pg_catalog.current_database()::text AS database,
       CURRENT_USER::text AS "user",
       (SELECT s.setconfig
          FROM pg_catalog.pg_db_role_setting AS s
         WHERE s.setrole = 0
           AND s.setdatabase = d.oid) AS database_settings,
       (SELECT s.setconfig
          FROM pg_catalog.pg_db_role_setting AS s
         WHERE s.setrole = 0
           AND s.setdatabase = 0) AS global_settings
  FROM pg_catalog.pg_database AS d
 WHERE d.datname = pg_catalog.current_database()
 ORDER BY d.oid;
