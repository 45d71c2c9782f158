-- How many rows of the probe users are still there. Both conditions have an index in Auth's schema.
-- The operators are named in full: varchar = text is none of PostgreSQL's own, and schema auth may have one.
SELECT pg_catalog.count(*) AS rows, pg_catalog.row_security_active('auth.users') AS row_security
FROM auth.users
WHERE id OPERATOR(pg_catalog.=) ANY (%(ids)s::pg_catalog.uuid[])
   OR email OPERATOR(pg_catalog.=) ANY (%(emails)s::pg_catalog.text[]);
