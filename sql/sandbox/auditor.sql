-- Purpose: the roles whose rights the auditing role gets: all but superusers, itself, and those that are members of it
--   or of Auth's role, for memberships must not go in a circle. Of PostgreSQL's own those that read and look, and the
--   one to end a backend of ours.
-- Minimum server version: 14
SELECT r.rolname::text AS name
  FROM pg_catalog.pg_roles AS r
 WHERE NOT r.rolsuper
   AND r.rolname <> %(role)s
   AND (r.rolname NOT LIKE 'pg\_%%' OR r.rolname IN ('pg_read_all_data', 'pg_monitor', 'pg_signal_backend'))
   AND NOT pg_catalog.pg_has_role(r.oid, %(role)s, 'MEMBER')
   AND NOT pg_catalog.pg_has_role(r.oid, %(auth)s, 'MEMBER')
 ORDER BY r.rolname;
