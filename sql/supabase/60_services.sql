-- What remains of the platform: the function behind a database webhook, the entry point of GraphQL, the history of
-- migrations, and the functions of the platform's own event triggers, which dumps of a project name.

SET LOCAL search_path = '';

CREATE TABLE supabase_functions.hooks (
    id bigserial PRIMARY KEY,
    hook_table_id integer NOT NULL,
    hook_name text NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    request_id bigint
);
CREATE TABLE supabase_functions.migrations (
    version text PRIMARY KEY,
    inserted_at timestamp with time zone NOT NULL DEFAULT now()
);
ALTER TABLE supabase_functions.hooks OWNER TO supabase_functions_admin;
ALTER TABLE supabase_functions.migrations OWNER TO supabase_functions_admin;
GRANT ALL ON ALL TABLES IN SCHEMA supabase_functions TO postgres, anon, authenticated, service_role;
GRANT ALL ON ALL SEQUENCES IN SCHEMA supabase_functions TO postgres, anon, authenticated, service_role;

-- Queues the request that the trigger's arguments name (url, method, headers, params, timeout), as a webhook does.
CREATE FUNCTION supabase_functions.http_request() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = supabase_functions AS $$
DECLARE
    request_id bigint;
    url text := TG_ARGV[0];
    method text := TG_ARGV[1];
    headers jsonb := coalesce(nullif(TG_ARGV[2], 'null'), '{"Content-Type": "application/json"}')::jsonb;
    params jsonb := coalesce(nullif(TG_ARGV[3], 'null'), '{}')::jsonb;
    timeout_milliseconds integer := coalesce(nullif(TG_ARGV[4], 'null'), '1000')::integer;
BEGIN
    IF url IS NULL OR url = 'null' THEN
        RAISE EXCEPTION 'url argument is missing';
    END IF;
    IF method IS NULL OR method NOT IN ('GET', 'POST') THEN
        RAISE EXCEPTION 'method argument % is invalid', method;
    END IF;
    IF method = 'GET' THEN
        request_id := net.http_get(url, params, headers, timeout_milliseconds);
    ELSE
        request_id := net.http_post(
            url,
            jsonb_build_object(
                'old_record', OLD, 'record', NEW, 'type', TG_OP, 'table', TG_TABLE_NAME, 'schema', TG_TABLE_SCHEMA
            ),
            params,
            headers,
            timeout_milliseconds
        );
    END IF;
    INSERT INTO supabase_functions.hooks (hook_table_id, hook_name, request_id)
    VALUES (TG_RELID, TG_NAME, request_id);
    RETURN NEW;
END
$$;
ALTER FUNCTION supabase_functions.http_request() OWNER TO supabase_functions_admin;
GRANT EXECUTE ON FUNCTION supabase_functions.http_request() TO postgres, anon, authenticated, service_role;

CREATE FUNCTION graphql_public.graphql(
    "operationName" text DEFAULT NULL, query text DEFAULT NULL, variables jsonb DEFAULT NULL,
    extensions jsonb DEFAULT NULL
) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('errors', jsonb_build_array(jsonb_build_object('message', 'pg_graphql is not available')))
$$;

CREATE TABLE supabase_migrations.schema_migrations (
    version text PRIMARY KEY,
    statements text[],
    name text
);
CREATE TABLE supabase_migrations.seed_files (
    path text PRIMARY KEY,
    hash text NOT NULL
);
ALTER TABLE supabase_migrations.schema_migrations OWNER TO postgres;
ALTER TABLE supabase_migrations.seed_files OWNER TO postgres;

CREATE FUNCTION extensions.grant_pg_cron_access() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION extensions.grant_pg_graphql_access() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION extensions.grant_pg_net_access() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION extensions.pgrst_ddl_watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION extensions.pgrst_drop_watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION extensions.set_graphql_placeholder() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
