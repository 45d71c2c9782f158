-- Purpose: settings under which every other query of this folder runs, for the current (sub)transaction only.
--   With pg_temp last and nothing else on the path, pg_get_expr, format_type and the like qualify every object of the
--   user; the rest keeps their texts the same whatever the session or the role has set (as pg_dump does).
--   jit: compiling these short queries would cost more than running them.
-- Minimum server version: 14
SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),
       pg_catalog.set_config('standard_conforming_strings', 'on', true),
       pg_catalog.set_config('quote_all_identifiers', 'off', true),
       pg_catalog.set_config('DateStyle', 'ISO, MDY', true),
       pg_catalog.set_config('IntervalStyle', 'postgres', true),
       pg_catalog.set_config('TimeZone', 'UTC', true),
       pg_catalog.set_config('extra_float_digits', '1', true),
       pg_catalog.set_config('jit', 'off', true);
