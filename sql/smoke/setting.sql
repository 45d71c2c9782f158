-- A parameter's value, NULL where there is none of that name.
SELECT pg_catalog.current_setting(%(name)s, true);
