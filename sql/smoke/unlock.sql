-- Gives back the advisory locks that a session keeps past the end of its transactions, if this is still that process.
SELECT pg_catalog.pg_advisory_unlock_all() WHERE pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) %(pid)s;
