-- What tells that functions (oids) are those that they were, and nobody's but their owners'. Server 14 and later.
SELECT p.oid::pg_catalog.int8 AS function,
       pg_catalog.pg_get_userbyid(p.proowner)::pg_catalog.text AS owner,
       pg_catalog.pg_get_functiondef(p.oid) AS definition
FROM pg_catalog.pg_proc AS p
WHERE p.oid OPERATOR(pg_catalog.=) ANY (%(functions)s::pg_catalog.oid[]);
