-- Stand-in for pg_cron: jobs are listed as the real one does. The launcher that would run them does not exist here.

CREATE SCHEMA cron;

CREATE TABLE cron.job (
    jobid bigserial PRIMARY KEY,
    schedule text NOT NULL,
    command text NOT NULL,
    nodename text NOT NULL DEFAULT 'localhost',
    nodeport integer NOT NULL DEFAULT 5432,
    database text NOT NULL DEFAULT pg_catalog.current_database(),
    username text NOT NULL DEFAULT session_user,
    active boolean NOT NULL DEFAULT true,
    jobname text,
    CONSTRAINT jobname_username_uniq UNIQUE (jobname, username)
);
CREATE TABLE cron.job_run_details (
    jobid bigint,
    runid bigserial PRIMARY KEY,
    job_pid integer,
    database text,
    username text,
    command text,
    status text,
    return_message text,
    start_time timestamp with time zone,
    end_time timestamp with time zone
);

-- They write the table for whoever may call them, as the real ones do: on the platform nobody else may.
CREATE FUNCTION cron.schedule_in_database(
    job_name text, schedule text, command text, database text, username text DEFAULT NULL, active boolean DEFAULT true
) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    INSERT INTO cron.job (jobname, schedule, command, database, username, active)
    VALUES ($1, $2, $3, $4, coalesce($5, session_user), $6)
    ON CONFLICT ON CONSTRAINT jobname_username_uniq DO UPDATE
    SET schedule = excluded.schedule, command = excluded.command, database = excluded.database, active = excluded.active
    RETURNING jobid
$$;
CREATE FUNCTION cron.schedule(job_name text, schedule text, command text) RETURNS bigint LANGUAGE sql AS $$
    SELECT cron.schedule_in_database($1, $2, $3, pg_catalog.current_database()::text)
$$;
CREATE FUNCTION cron.schedule(schedule text, command text) RETURNS bigint LANGUAGE sql AS $$
    SELECT cron.schedule_in_database(NULL, $1, $2, pg_catalog.current_database()::text)
$$;
CREATE FUNCTION cron.unschedule(job_id bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    DELETE FROM cron.job AS j WHERE j.jobid = $1;
    IF NOT found THEN
        RAISE EXCEPTION 'could not find valid entry for job ''%''', $1 USING ERRCODE = 'XX000';
    END IF;
    RETURN true;
END
$$;
CREATE FUNCTION cron.unschedule(job_name text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    DELETE FROM cron.job AS j WHERE j.jobname = $1;
    IF NOT found THEN
        RAISE EXCEPTION 'could not find valid entry for job ''%''', $1 USING ERRCODE = 'XX000';
    END IF;
    RETURN true;
END
$$;
CREATE FUNCTION cron.alter_job(
    job_id bigint, schedule text DEFAULT NULL, command text DEFAULT NULL, database text DEFAULT NULL,
    username text DEFAULT NULL, active boolean DEFAULT NULL
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    UPDATE cron.job AS j
    SET schedule = coalesce($2, j.schedule), command = coalesce($3, j.command), database = coalesce($4, j.database),
        username = coalesce($5, j.username), active = coalesce($6, j.active)
    WHERE j.jobid = $1
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA cron FROM PUBLIC;
GRANT USAGE ON SCHEMA cron TO postgres WITH GRANT OPTION;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA cron TO postgres WITH GRANT OPTION;
GRANT SELECT ON cron.job TO postgres WITH GRANT OPTION;
GRANT SELECT, INSERT, UPDATE, DELETE ON cron.job_run_details TO postgres WITH GRANT OPTION;
