-- Stand-in for pg_partman: a parent table is written down, no partition is made.

CREATE TABLE part_config (
    parent_table text PRIMARY KEY, control text NOT NULL, partition_interval text NOT NULL,
    partition_type text NOT NULL DEFAULT 'range', premake integer NOT NULL DEFAULT 4, retention text,
    retention_keep_table boolean NOT NULL DEFAULT true, infinite_time_partitions boolean NOT NULL DEFAULT false,
    automatic_maintenance text NOT NULL DEFAULT 'on'
);
CREATE FUNCTION create_parent(
    p_parent_table text, p_control text, p_interval text, p_type text DEFAULT 'range', p_epoch text DEFAULT 'none',
    p_premake integer DEFAULT 4, p_start_partition text DEFAULT NULL, p_default_table boolean DEFAULT true,
    p_automatic_maintenance text DEFAULT 'on'
) RETURNS boolean LANGUAGE plpgsql SET search_path = @extschema@, pg_temp AS $$
BEGIN
    INSERT INTO part_config (parent_table, control, partition_interval, partition_type, premake, automatic_maintenance)
    VALUES (p_parent_table, p_control, p_interval, p_type, p_premake, p_automatic_maintenance);
    RETURN true;
END
$$;
CREATE FUNCTION run_maintenance(p_parent_table text DEFAULT NULL, p_analyze boolean DEFAULT false) RETURNS void
    LANGUAGE sql AS 'SELECT';
CREATE PROCEDURE run_maintenance_proc(p_wait integer DEFAULT 0, p_analyze boolean DEFAULT NULL)
    LANGUAGE sql AS 'SELECT';
GRANT SELECT, INSERT, UPDATE, DELETE ON part_config TO postgres;
