-- Purpose: the role of this name; no row where there is none.
-- Minimum server version: 14
SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) %(role)s::pg_catalog.text;
