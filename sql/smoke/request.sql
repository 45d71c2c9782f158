-- What a request may leave behind that its COMMIT would take along: parameters (those given by name are not listed by
-- PostgreSQL), temporary tables with their owner, cursors. Run as Auth's role after its users' code: so every operator
-- has its schema. Server 14 and later.
SELECT 'parameter' AS kind, s.name::pg_catalog.text AS name, s.setting::pg_catalog.text AS value, s.reset_val AS more
FROM pg_catalog.pg_settings AS s
WHERE s.source OPERATOR(pg_catalog.=) 'session'
UNION ALL
SELECT 'named', n.name, pg_catalog.current_setting(n.name, true), NULL
FROM pg_catalog.unnest(%(names)s::pg_catalog.text[]) AS n (name)
UNION ALL
SELECT 'read-only', '', pg_catalog.current_setting('transaction_read_only'), NULL
UNION ALL
SELECT 'table', c.relname::pg_catalog.text, pg_catalog.pg_get_userbyid(c.relowner)::pg_catalog.text,
       c.relhastriggers::pg_catalog.text
FROM pg_catalog.pg_class AS c
WHERE c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
  AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}'::pg_catalog."char"[])
UNION ALL
SELECT 'cursor', p.name, NULL, NULL
FROM pg_catalog.pg_cursors AS p
WHERE p.name OPERATOR(pg_catalog.<>) '' AND NOT p.is_holdable;
