-- Of the parameters given (names in lower case) those that have another value here than PostgreSQL's own, and that own
-- value. Parameters of nobody's, as app.key, have none. Server 14 and later.
SELECT s.name::pg_catalog.text AS name, s.boot_val AS own
FROM pg_catalog.pg_settings AS s
WHERE pg_catalog.lower(s.name) OPERATOR(pg_catalog.=) ANY (%(names)s::pg_catalog.text[])
  AND s.context OPERATOR(pg_catalog.=) ANY ('{user,superuser}')
  AND s.boot_val OPERATOR(pg_catalog.<>) s.setting
ORDER BY s.name;
