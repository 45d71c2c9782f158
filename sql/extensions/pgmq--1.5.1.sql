-- Stand-in for pgmq: a queue is a plain table, never partitioned. What a transaction sends goes with it, as in the real one.

CREATE TABLE pgmq.meta (
    queue_name varchar PRIMARY KEY,
    is_partitioned boolean NOT NULL DEFAULT false,
    is_unlogged boolean NOT NULL DEFAULT false,
    created_at timestamp with time zone NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TYPE pgmq.message_record AS (
    msg_id bigint, read_ct integer, enqueued_at timestamp with time zone, vt timestamp with time zone, message jsonb,
    headers jsonb
);
CREATE TYPE pgmq.queue_record AS (
    queue_name varchar, is_partitioned boolean, is_unlogged boolean, created_at timestamp with time zone
);
CREATE TYPE pgmq.metrics_result AS (
    queue_name text, queue_length bigint, newest_msg_age_sec integer, oldest_msg_age_sec integer, total_messages bigint,
    scrape_time timestamp with time zone, queue_visible_length bigint
);

CREATE FUNCTION pgmq.format_table_name(queue_name text, prefix text) RETURNS text LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF queue_name ~ '[$;''-]' AND queue_name ~ '[$;'']|--' THEN
        RAISE EXCEPTION 'queue name contains invalid characters: $, ;, --, or ''';
    END IF;
    RETURN lower(prefix || '_' || queue_name);
END
$$;
CREATE FUNCTION pgmq.validate_queue_name(queue_name text) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF length(queue_name) > 47 THEN
        RAISE EXCEPTION 'queue name is too long, maximum length is 47 characters';
    END IF;
END
$$;

CREATE FUNCTION pgmq.create_non_partitioned(queue_name text) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    queue text := pgmq.format_table_name(queue_name, 'q');
    archive text := pgmq.format_table_name(queue_name, 'a');
BEGIN
    PERFORM pgmq.validate_queue_name(queue_name);
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS pgmq.%I (
            msg_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, read_ct integer NOT NULL DEFAULT 0,
            enqueued_at timestamp with time zone NOT NULL DEFAULT now(), vt timestamp with time zone NOT NULL,
            message jsonb, headers jsonb)', queue);
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS pgmq.%I (
            msg_id bigint PRIMARY KEY, read_ct integer NOT NULL DEFAULT 0,
            enqueued_at timestamp with time zone NOT NULL DEFAULT now(),
            archived_at timestamp with time zone NOT NULL DEFAULT now(), vt timestamp with time zone NOT NULL,
            message jsonb, headers jsonb)', archive);
    INSERT INTO pgmq.meta (queue_name) VALUES (queue_name) ON CONFLICT DO NOTHING;
END
$$;
CREATE FUNCTION pgmq.create_unlogged(queue_name text) RETURNS void LANGUAGE sql
    AS 'SELECT pgmq.create_non_partitioned($1)';
CREATE FUNCTION pgmq.create_partitioned(
    queue_name text, partition_interval text DEFAULT '10000', retention_interval text DEFAULT '100000'
) RETURNS void LANGUAGE sql AS 'SELECT pgmq.create_non_partitioned($1)';
CREATE FUNCTION pgmq."create"(queue_name text) RETURNS void LANGUAGE sql AS 'SELECT pgmq.create_non_partitioned($1)';
CREATE FUNCTION pgmq.drop_queue(queue_name text) RETURNS boolean LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS pgmq.%I', pgmq.format_table_name(queue_name, 'q'));
    EXECUTE format('DROP TABLE IF EXISTS pgmq.%I', pgmq.format_table_name(queue_name, 'a'));
    DELETE FROM pgmq.meta AS m WHERE m.queue_name = $1;
    RETURN found;
END
$$;
CREATE FUNCTION pgmq.drop_queue(queue_name text, partitioned boolean) RETURNS boolean LANGUAGE sql
    AS 'SELECT pgmq.drop_queue($1)';
CREATE FUNCTION pgmq.list_queues() RETURNS SETOF pgmq.queue_record LANGUAGE sql
    AS 'SELECT queue_name, is_partitioned, is_unlogged, created_at FROM pgmq.meta';
CREATE FUNCTION pgmq.detach_archive(queue_name text) RETURNS void LANGUAGE sql AS 'SELECT';
CREATE FUNCTION pgmq.enable_notify_insert(queue_name text, throttle_interval_ms integer DEFAULT 250) RETURNS void
    LANGUAGE sql AS 'SELECT';
CREATE FUNCTION pgmq.disable_notify_insert(queue_name text) RETURNS void LANGUAGE sql AS 'SELECT';

CREATE FUNCTION pgmq.send_batch(queue_name text, msgs jsonb[], headers jsonb[], delay timestamp with time zone)
    RETURNS SETOF bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'INSERT INTO pgmq.%I (vt, message, headers)
         SELECT $3, m, h FROM unnest($1, $2) AS u (m, h) RETURNING msg_id', pgmq.format_table_name(queue_name, 'q')
    ) USING msgs, coalesce(headers, '{}'), delay;
END
$$;
CREATE FUNCTION pgmq.send_batch(queue_name text, msgs jsonb[]) RETURNS SETOF bigint LANGUAGE sql
    AS 'SELECT pgmq.send_batch($1, $2, NULL, pg_catalog.clock_timestamp())';
CREATE FUNCTION pgmq.send_batch(queue_name text, msgs jsonb[], headers jsonb[]) RETURNS SETOF bigint LANGUAGE sql
    AS 'SELECT pgmq.send_batch($1, $2, $3, pg_catalog.clock_timestamp())';
CREATE FUNCTION pgmq.send_batch(queue_name text, msgs jsonb[], delay integer) RETURNS SETOF bigint LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
    AS 'SELECT pgmq.send_batch($1, $2, NULL, clock_timestamp() + make_interval(secs => $3))';
CREATE FUNCTION pgmq.send_batch(queue_name text, msgs jsonb[], delay timestamp with time zone) RETURNS SETOF bigint
    LANGUAGE sql AS 'SELECT pgmq.send_batch($1, $2, NULL, $3)';
CREATE FUNCTION pgmq.send_batch(queue_name text, msgs jsonb[], headers jsonb[], delay integer) RETURNS SETOF bigint
    LANGUAGE sql SET search_path = pg_catalog, pg_temp
    AS 'SELECT pgmq.send_batch($1, $2, $3, clock_timestamp() + make_interval(secs => $4))';
CREATE FUNCTION pgmq.send(queue_name text, msg jsonb) RETURNS SETOF bigint LANGUAGE sql
    AS 'SELECT pgmq.send_batch($1, ARRAY[$2])';
CREATE FUNCTION pgmq.send(queue_name text, msg jsonb, headers jsonb) RETURNS SETOF bigint LANGUAGE sql
    AS 'SELECT pgmq.send_batch($1, ARRAY[$2], ARRAY[$3])';
CREATE FUNCTION pgmq.send(queue_name text, msg jsonb, delay integer) RETURNS SETOF bigint LANGUAGE sql
    AS 'SELECT pgmq.send_batch($1, ARRAY[$2], $3)';
CREATE FUNCTION pgmq.send(queue_name text, msg jsonb, delay timestamp with time zone) RETURNS SETOF bigint LANGUAGE sql
    AS 'SELECT pgmq.send_batch($1, ARRAY[$2], $3)';
CREATE FUNCTION pgmq.send(queue_name text, msg jsonb, headers jsonb, delay integer) RETURNS SETOF bigint LANGUAGE sql
    AS 'SELECT pgmq.send_batch($1, ARRAY[$2], ARRAY[$3], $4)';
CREATE FUNCTION pgmq.send(queue_name text, msg jsonb, headers jsonb, delay timestamp with time zone)
    RETURNS SETOF bigint LANGUAGE sql AS 'SELECT pgmq.send_batch($1, ARRAY[$2], ARRAY[$3], $4)';

CREATE FUNCTION pgmq.read(queue_name text, vt integer, qty integer, conditional jsonb DEFAULT '{}')
    RETURNS SETOF pgmq.message_record LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'UPDATE pgmq.%1$I AS q SET vt = clock_timestamp() + make_interval(secs => $1), read_ct = read_ct + 1
         FROM (SELECT msg_id FROM pgmq.%1$I
               WHERE vt <= clock_timestamp() AND message @> $3 ORDER BY msg_id LIMIT $2 FOR UPDATE SKIP LOCKED) AS chosen
         WHERE q.msg_id = chosen.msg_id
         RETURNING q.msg_id, q.read_ct, q.enqueued_at, q.vt, q.message, q.headers',
        pgmq.format_table_name(queue_name, 'q')
    ) USING vt, qty, conditional;
END
$$;
CREATE FUNCTION pgmq.read_with_poll(
    queue_name text, vt integer, qty integer, max_poll_seconds integer DEFAULT 5, poll_interval_ms integer DEFAULT 100,
    conditional jsonb DEFAULT '{}'
) RETURNS SETOF pgmq.message_record LANGUAGE sql AS 'SELECT * FROM pgmq.read($1, $2, $3, $6)';
CREATE FUNCTION pgmq.pop(queue_name text, qty integer) RETURNS SETOF pgmq.message_record LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'DELETE FROM pgmq.%1$I WHERE msg_id IN (
            SELECT msg_id FROM pgmq.%1$I
            WHERE vt <= clock_timestamp() ORDER BY msg_id LIMIT $1 FOR UPDATE SKIP LOCKED)
         RETURNING msg_id, read_ct, enqueued_at, vt, message, headers', pgmq.format_table_name(queue_name, 'q')
    ) USING qty;
END
$$;
CREATE FUNCTION pgmq.pop(queue_name text) RETURNS SETOF pgmq.message_record LANGUAGE sql
    AS 'SELECT * FROM pgmq.pop($1, 1)';
CREATE FUNCTION pgmq.delete(queue_name text, msg_ids bigint[]) RETURNS SETOF bigint LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'DELETE FROM pgmq.%I WHERE msg_id = ANY ($1) RETURNING msg_id', pgmq.format_table_name(queue_name, 'q')
    ) USING msg_ids;
END
$$;
CREATE FUNCTION pgmq.delete(queue_name text, msg_id bigint) RETURNS boolean LANGUAGE sql
    AS 'SELECT EXISTS (SELECT FROM pgmq.delete($1, ARRAY[$2]))';
CREATE FUNCTION pgmq.archive(queue_name text, msg_ids bigint[]) RETURNS SETOF bigint LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'WITH gone AS (DELETE FROM pgmq.%I WHERE msg_id = ANY ($1) RETURNING *)
         INSERT INTO pgmq.%I (msg_id, read_ct, enqueued_at, vt, message, headers)
         SELECT msg_id, read_ct, enqueued_at, vt, message, headers FROM gone RETURNING msg_id',
        pgmq.format_table_name(queue_name, 'q'), pgmq.format_table_name(queue_name, 'a')
    ) USING msg_ids;
END
$$;
CREATE FUNCTION pgmq.archive(queue_name text, msg_id bigint) RETURNS boolean LANGUAGE sql
    AS 'SELECT EXISTS (SELECT FROM pgmq.archive($1, ARRAY[$2]))';
CREATE FUNCTION pgmq.set_vt(queue_name text, msg_id bigint, vt integer) RETURNS SETOF pgmq.message_record
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'UPDATE pgmq.%I SET vt = clock_timestamp() + make_interval(secs => $2) WHERE msg_id = $1
         RETURNING msg_id, read_ct, enqueued_at, vt, message, headers', pgmq.format_table_name(queue_name, 'q')
    ) USING msg_id, vt;
END
$$;
CREATE FUNCTION pgmq.purge_queue(queue_name text) RETURNS bigint LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    purged bigint;
BEGIN
    EXECUTE format('DELETE FROM pgmq.%I', pgmq.format_table_name(queue_name, 'q'));
    GET DIAGNOSTICS purged = ROW_COUNT;
    RETURN purged;
END
$$;
CREATE FUNCTION pgmq.metrics(queue_name text) RETURNS pgmq.metrics_result LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    result pgmq.metrics_result;
BEGIN
    EXECUTE format(
        'SELECT $1, count(*), extract(epoch FROM now() - max(enqueued_at))::integer,
                extract(epoch FROM now() - min(enqueued_at))::integer, count(*), now(),
                count(*) FILTER (WHERE vt <= clock_timestamp())
         FROM pgmq.%I', pgmq.format_table_name(queue_name, 'q')
    ) INTO result USING queue_name;
    RETURN result;
END
$$;
CREATE FUNCTION pgmq.metrics_all() RETURNS SETOF pgmq.metrics_result LANGUAGE sql
    AS 'SELECT m.* FROM pgmq.meta AS q, pgmq.metrics(q.queue_name) AS m';
