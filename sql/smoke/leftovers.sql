-- How many rows of the probe users are still there. Both conditions have an index in Auth's schema.
SELECT pg_catalog.count(*) AS rows, pg_catalog.row_security_active('auth.users') AS row_security
FROM auth.users
WHERE id = ANY (%(ids)s::pg_catalog.uuid[]) OR email = ANY (%(emails)s::pg_catalog.text[]);
