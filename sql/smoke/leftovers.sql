-- How many rows of the probe users are still there, and whether row security may hide some ('true').
-- Both conditions have an index in Auth's schema.
-- The operators are named in full: varchar = text is none of PostgreSQL's own, and schema auth may have one.
SELECT ARRAY[
         pg_catalog.count(*)::pg_catalog.text,
         pg_catalog.row_security_active('auth.users')::pg_catalog.text
       ] AS found
FROM auth.users
WHERE id OPERATOR(pg_catalog.=) ANY (%(ids)s::pg_catalog.uuid[])
   OR email OPERATOR(pg_catalog.=) ANY (%(emails)s::pg_catalog.text[]);
