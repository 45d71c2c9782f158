-- Purpose: a log of which statement of the files defined which object, kept by an event trigger (made beside this file,
--   for its name is not the same twice). An entry is rolled back with what it tells of.
--   statement: the number that the text of a statement begins with (/*000000017*/); NULL where nobody gave one.
--   state: of a trigger, pg_trigger.tgenabled after the statement; the other kinds have none.
--   made: whether the statement is the object's own CREATE (or ALTER POLICY), not an ALTER TABLE that changed its state.
--   The event trigger reports an altered table only: the constraints that it has got and the triggers that were
--   switched are found by comparing with what is in the log, which begins with those that are there already.
--   The function runs as the superuser in the middle of a project's statements. So it calls nothing but pg_catalog's
--   functions and operators, and has no backslash in its text (the session may have standard_conforming_strings off).
--   Nobody else may write into the schema or run the function. postgres can read the log, by pg_read_all_data, and finds
--   numbers in it; pg_write_all_data it has not, and cannot get (see supabase/10_roles.sql).
-- Minimum server version: 14
CREATE SCHEMA _trigger_audit_log;
CREATE TABLE _trigger_audit_log.entry (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    statement integer,
    classid oid NOT NULL,
    objid oid NOT NULL,
    state text,
    made boolean NOT NULL
);
CREATE INDEX entry_object ON _trigger_audit_log.entry (classid, objid, number);
INSERT INTO _trigger_audit_log.entry (classid, objid, state, made)
SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid, NULL, true
  FROM pg_catalog.pg_constraint AS k
 WHERE k.conrelid <> 0
UNION ALL
SELECT 'pg_catalog.pg_trigger'::pg_catalog.regclass, g.oid, g.tgenabled::pg_catalog.text, true
  FROM pg_catalog.pg_trigger AS g
 WHERE NOT g.tgisinternal;

CREATE FUNCTION _trigger_audit_log.note() RETURNS event_trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    head text := left(current_query(), 13);
    of_statement integer := CASE WHEN head ~ '^/[*][0-9]{9}[*]/$' THEN substr(head, 3, 9)::integer END;
BEGIN
    INSERT INTO _trigger_audit_log.entry (statement, classid, objid, state, made)
    SELECT of_statement, c.classid, c.objid, g.tgenabled::text, true
      FROM pg_event_trigger_ddl_commands() AS c
      LEFT JOIN pg_trigger AS g ON c.classid = 'pg_trigger'::regclass AND g.oid = c.objid
     WHERE NOT c.in_extension
       AND (
               c.classid IN ('pg_proc'::regclass, 'pg_trigger'::regclass, 'pg_policy'::regclass)
               OR (c.classid = 'pg_class'::regclass AND c.command_tag NOT IN ('ALTER TABLE', 'ALTER FOREIGN TABLE'))
           );
    IF tg_tag NOT IN (
        'CREATE TABLE', 'ALTER TABLE', 'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE', 'CREATE SCHEMA'
    ) THEN
        RETURN;
    END IF;
    WITH altered AS MATERIALIZED (
        SELECT DISTINCT c.objid
          FROM pg_event_trigger_ddl_commands() AS c
         WHERE c.classid = 'pg_class'::regclass
           AND NOT c.in_extension
    )
    INSERT INTO _trigger_audit_log.entry (statement, classid, objid, state, made)
    SELECT of_statement, 'pg_constraint'::regclass, k.oid, NULL, true
      FROM altered AS a
      JOIN pg_constraint AS k ON k.conrelid = a.objid
     WHERE NOT EXISTS (
               SELECT
                 FROM _trigger_audit_log.entry AS e
                WHERE e.classid = 'pg_constraint'::regclass
                  AND e.objid = k.oid
           )
    UNION ALL
    SELECT of_statement, 'pg_trigger'::regclass, g.oid, g.tgenabled::text, false
      FROM altered AS a
      JOIN pg_trigger AS g ON g.tgrelid = a.objid
     WHERE NOT g.tgisinternal
       AND g.tgenabled::text <> (
               SELECT e.state
                 FROM _trigger_audit_log.entry AS e
                WHERE e.classid = 'pg_trigger'::regclass
                  AND e.objid = g.oid
                ORDER BY e.number DESC
                LIMIT 1
           );
END
$body$;
REVOKE ALL ON FUNCTION _trigger_audit_log.note() FROM PUBLIC;
