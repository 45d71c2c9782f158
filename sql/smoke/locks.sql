-- The locks that this session holds on the tables named (schemas and names in parallel). A trigger may have put a schema
-- with operators of its own first on the search_path, so none is left to it.
SELECT mode FROM pg_catalog.pg_locks
WHERE pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND granted
  AND relation OPERATOR(pg_catalog.=) ANY (
    ARRAY(
      SELECT c.oid FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
      JOIN ROWS FROM (
        pg_catalog.unnest(%(schemas)s::pg_catalog.text[]), pg_catalog.unnest(%(names)s::pg_catalog.text[])
      ) AS w (schema_name, table_name)
        ON n.nspname OPERATOR(pg_catalog.=) w.schema_name AND c.relname OPERATOR(pg_catalog.=) w.table_name
    )
  );
