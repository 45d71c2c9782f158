-- Stand-in for plpgsql_check: it finds nothing.

CREATE FUNCTION plpgsql_check_function(
    funcoid regprocedure, relid regclass DEFAULT 0, format text DEFAULT 'text', fatal_errors boolean DEFAULT true
) RETURNS SETOF text LANGUAGE sql AS 'SELECT NULL::text WHERE false';
