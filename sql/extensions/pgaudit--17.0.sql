-- Stand-in for pgaudit: nothing is logged.

CREATE FUNCTION pgaudit_ddl_command_end() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION pgaudit_sql_drop() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
