-- Purpose: where session_replication_role is set for the sessions of a role in this database: whether for the database
--   and whether for the role, one row for each place.
-- Minimum server version: 14
SELECT s.setdatabase <> 0 AS of_database, s.setrole <> 0 AS of_role
  FROM pg_catalog.pg_db_role_setting AS s
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
 WHERE (s.setdatabase = 0 OR s.setdatabase = (SELECT d.oid FROM pg_catalog.pg_database AS d
                                               WHERE d.datname = pg_catalog.current_database()))
   AND (s.setrole = 0 OR r.rolname = %(role)s::pg_catalog.text)
   AND EXISTS (SELECT FROM pg_catalog.unnest(s.setconfig) AS c WHERE c LIKE 'session\_replication\_role=%%');
