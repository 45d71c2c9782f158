-- Sets parameters for the rest of the transaction, from pairs of name and value. Server 14 and later.
SELECT pg_catalog.set_config(s.name, s.value, true) FROM (VALUES {settings}) AS s (name, value);
