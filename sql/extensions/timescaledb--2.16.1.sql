-- Stand-in for timescaledb: tables stay plain ones, policies are taken and forgotten.

CREATE FUNCTION create_hypertable(
    relation regclass, time_column_name name, partitioning_column name DEFAULT NULL,
    number_partitions integer DEFAULT NULL, chunk_time_interval interval DEFAULT NULL, if_not_exists boolean DEFAULT false,
    migrate_data boolean DEFAULT false,
    OUT hypertable_id integer, OUT schema_name name, OUT table_name name, OUT created boolean
) RETURNS record LANGUAGE sql AS $$
    SELECT 1, n.nspname, c.relname, true
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
    WHERE c.oid OPERATOR(pg_catalog.=) $1::oid
$$;
CREATE FUNCTION add_retention_policy(relation regclass, drop_after interval, if_not_exists boolean DEFAULT false)
    RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION add_compression_policy(hypertable regclass, compress_after interval, if_not_exists boolean DEFAULT false)
    RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION add_continuous_aggregate_policy(
    continuous_aggregate regclass, start_offset interval, end_offset interval, schedule_interval interval,
    if_not_exists boolean DEFAULT false
) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION time_bucket(bucket_width interval, ts timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.date_bin($1, $2, '2000-01-03 00:00:00+00'::timestamp with time zone)$$;
CREATE FUNCTION time_bucket(bucket_width interval, ts timestamp) RETURNS timestamp LANGUAGE sql IMMUTABLE
    AS $$SELECT pg_catalog.date_bin($1, $2, '2000-01-03 00:00:00'::timestamp)$$;
