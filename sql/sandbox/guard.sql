-- Purpose: keeps a project's event triggers from running while an extension's script does. The script of a trusted
--   extension runs as the superuser whoever creates it, in a DO block too, and event triggers fire for each of its
--   statements. Two event triggers (made beside this file) call these functions around CREATE and ALTER EXTENSION.
--   A project's event trigger may create an extension as well: that one is refused while another is under way, for at
--   its end the triggers would be on again.
--   A project can let an event trigger of its own call these functions: what they do depends on event and command, and
--   ours are known by their functions, for a name anybody can choose.
-- Minimum server version: 14
CREATE TABLE _trigger_audit.silenced (name name NOT NULL);

CREATE FUNCTION _trigger_audit.silence() RETURNS event_trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    each name;
BEGIN
    IF tg_event <> 'ddl_command_start' OR tg_tag NOT IN ('CREATE EXTENSION', 'ALTER EXTENSION') THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM _trigger_audit.silenced) THEN
        RAISE EXCEPTION 'an extension cannot be created in the course of another' USING ERRCODE = '42501';
    END IF;
    FOR each IN
        -- A name says nothing of whose it is; nobody but the superuser can put a function into these schemas.
        SELECT e.evtname
          FROM pg_event_trigger AS e
          JOIN pg_proc AS p ON p.oid = e.evtfoid
          JOIN pg_namespace AS n ON n.oid = p.pronamespace
         WHERE e.evtenabled <> 'D'
           AND n.nspname NOT IN ('_trigger_audit', '_trigger_audit_log')
    LOOP
        EXECUTE format('ALTER EVENT TRIGGER %I DISABLE', each);
        INSERT INTO _trigger_audit.silenced (name) VALUES (each);
    END LOOP;
END
$body$;

CREATE FUNCTION _trigger_audit.unsilence() RETURNS event_trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    each name;
BEGIN
    IF tg_event <> 'ddl_command_end' OR tg_tag NOT IN ('CREATE EXTENSION', 'ALTER EXTENSION') THEN
        RETURN;
    END IF;
    FOR each IN DELETE FROM _trigger_audit.silenced AS s RETURNING s.name LOOP
        EXECUTE format('ALTER EVENT TRIGGER %I ENABLE', each);
    END LOOP;
END
$body$;
REVOKE ALL ON FUNCTION _trigger_audit.silence(), _trigger_audit.unsilence() FROM PUBLIC;
