"""Which statements of a migration run with the superuser's rights: none that holds an expression."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from tests.conftest import FreshDatabase
from trigger_audit.resources import sql_folder
from trigger_audit.sandbox.elevation import may_be_elevated
from trigger_audit.sandbox.extensions import stand_ins
from trigger_audit.sandbox.migrations import load_files
from trigger_audit.sandbox.project import SqlFile

ELEVATED = (
    "create extension if not exists http with schema y cascade",
    'create extension "uuid-ossp"',
    "create extension vector",
    "alter extension x update",
    "alter extension x set schema y",
    "comment on extension x is 'a'",
    "drop extension x",
    "alter role postgres set a.b = 'c'",
    "alter user anon reset all",
    "alter database postgres set x.y to 'z'",
    "alter database postgres set app.settings.plperl to 'z'",
    "alter role authenticator set pgrst.db_schemas = 'public'",
    "alter role postgres set pgaudit.log = 'all'",
    "alter role authenticated set log_min_messages from current",
    "alter role anon reset track_io_timing",
    "create event trigger a on ddl_command_end when tag in ('CREATE TABLE') execute function f()",
    "alter event trigger a enable",
    "drop event trigger a",
    "create publication p for all tables",
    "create publication p for table x (a), tables in schema y with (publish = 'insert')",
    "alter publication p add table x",
)
NOT_ELEVATED = (
    "create publication p for table x where (n > 1)",
    "create publication p for tables in schema y, table x where (n = ('{1}'::public.d[])[1])",
    "alter publication p set table x (n) where (n > 1)",
    "alter extension x add function f()",
    "alter database postgres set session_preload_libraries = '/tmp/a.so'",
    "alter database postgres set local_preload_libraries = 'a'",
    "alter database postgres set dynamic_library_path = '/tmp'",
    "alter database postgres set search_path = a",
    "alter database postgres set session_replication_role = replica",
    "alter database postgres set role = 'anon'",
    "alter database postgres set \"PLPERL.on_plperl_init\" = 'x'",
    "alter database postgres set supautils.superuser = 'x'",
    "alter database postgres set plpgsql.variable_conflict = use_column",
    "alter role anon set session_preload_libraries from current",
    "alter role postgres in database x set lc_messages = 'C'",
    "alter role supabase_admin set a.b = 'c'",
    "alter role supabase_auth_admin reset all",
    "alter role all set a.b = 'c'",
    "alter role current_user set a.b = 'c'",
    "alter role session_user reset all",
    "create extension pageinspect",
    # Its objects are its creator's, on the platform too.
    "create extension pgmq",
    "drop extension x, plpgsql cascade",
    "create extension x; drop table y",
    "drop table x",
    "comment on table x is 'a'",
    "create publication p for",
    "select 1",
    "",
)


@pytest.mark.parametrize("statement", ELEVATED)
def test_what_runs_with_the_superusers_rights(statement: str) -> None:
    assert may_be_elevated(statement, 18)


@pytest.mark.parametrize("statement", NOT_ELEVATED)
def test_what_does_not(statement: str) -> None:
    assert not may_be_elevated(statement, 18)


def test_a_script_that_takes_any_type_of_a_name() -> None:
    assert may_be_elevated("create extension earthdistance", 16)
    assert not may_be_elevated("create extension earthdistance", 15)


# Code that the server would load, or rights that somebody would have, in every session that starts.
PARAMETERS = (
    "alter database {name} set session_preload_libraries = 'auto_explain'",
    "alter database {name} set dynamic_library_path = '/tmp'",
    "alter database {name} set allow_system_table_mods = on",
    "alter database {name} set jit_provider = 'x'",
    "alter database {name} set plperl.on_plperl_init = 'x'",
    "alter role postgres set session_preload_libraries = 'auto_explain'",
    "alter role anon in database {name} set session_preload_libraries = 'auto_explain'",
    "alter user authenticator set lc_messages = 'C'",
    "alter role all set a.b = 'c'",
    "alter role all in database {name} set session_preload_libraries = 'auto_explain'",
    "do $$ begin alter database {name} set session_preload_libraries = 'auto_explain'; end $$",
    "load '/tmp/a.so'",
)


@pytest.mark.parametrize("database", ["fresh_database", "fresh_database15"])
def test_parameters_that_postgres_must_not_set(request: pytest.FixtureRequest, database: str) -> None:
    target: FreshDatabase = request.getfixturevalue(database)
    texts = [each.replace("{name}", target.name) for each in PARAMETERS]
    report = load_files(target.conninfo(), [SqlFile(f"{at}.sql", text) for at, text in enumerate(texts)])
    refused = {"42501", "55P02"}
    assert [failed.statement for failed in report.failed if failed.sqlstate in refused] == texts
    with psycopg.connect(target.conninfo()) as connection:
        kept = connection.execute("SELECT setconfig FROM pg_catalog.pg_db_role_setting").fetchall()
    assert not re.search("preload|library|mods|provider|plperl|lc_messages|a[.]b", str(kept))


# Refused to whom it can do nothing for, so that the statement is tried with more rights where there are any.
PUBLICATION = """
CREATE FUNCTION public.evil() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
    RAISE EXCEPTION 'no' USING ERRCODE = '42501';
  END IF;
  COPY (SELECT current_user) TO PROGRAM 'cat > {folder}/written';
  RETURN true;
END $$;
CREATE DOMAIN public.checked AS int CHECK (public.evil());
CREATE TABLE public.things (n int PRIMARY KEY);
CREATE PUBLICATION filtered FOR TABLE public.things WHERE (n = ('{1}'::public.checked[])[1]);
CREATE PUBLICATION whole FOR ALL TABLES;
CREATE PUBLICATION plain FOR TABLE public.things WHERE (n > 1);
"""


@pytest.mark.parametrize("database", ["fresh_database", "fresh_database15"])
def test_a_row_filter(request: pytest.FixtureRequest, database: str, folder: Path) -> None:
    target: FreshDatabase = request.getfixturevalue(database)
    report = load_files(target.conninfo(), [SqlFile("a.sql", PUBLICATION.replace("{folder}", str(folder)))])
    assert [(failed.line, failed.sqlstate) for failed in report.failed] == [(12, "42501")]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("database", ["fresh_database", "fresh_database15"])
def test_two_statements_that_look_like_one(request: pytest.FixtureRequest, database: str, folder: Path) -> None:
    """What ends a string is the same for who judges the statement and for who runs it."""
    target: FreshDatabase = request.getfixturevalue(database)
    text = rf"""
        SET standard_conforming_strings = off;
        CREATE TABLE public.kept (n int);
        ALTER DATABASE {target.name} SET "audit.x" = 'a\'; COPY (SELECT 1) TO PROGRAM ''touch {folder}/written''; --';
    """
    load_files(target.conninfo(), [SqlFile("a.sql", text)])
    assert list(folder.iterdir()) == []


# Starts a program as soon as its caller may.
EVIL = """
CREATE FUNCTION public.evil() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  COPY (SELECT current_user) TO PROGRAM 'cat > {folder}/written';
  RETURN true;
EXCEPTION WHEN insufficient_privilege THEN
  RETURN true;
END $$;
CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM public.evil();
END $$;
"""
WATCHES = """
CREATE EVENT TRIGGER a ON ddl_command_start EXECUTE FUNCTION public.watch();
CREATE EVENT TRIGGER z ON ddl_command_end EXECUTE FUNCTION public.watch();
CREATE EVENT TRIGGER d ON sql_drop EXECUTE FUNCTION public.watch();
"""
NESTED = """
CREATE FUNCTION public.nest() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'CREATE EXTENSION hstore SCHEMA public';
EXCEPTION WHEN OTHERS THEN NULL;
END $$;
CREATE EVENT TRIGGER zz ON ddl_command_start WHEN TAG IN ('CREATE EXTENSION') EXECUTE FUNCTION public.nest();
"""
IN_SCRIPTS = {
    "an event trigger, and an extension in a block": WATCHES + "DO $$ BEGIN CREATE EXTENSION citext; END $$;",
    "an event trigger, and an extension in a function": WATCHES
    + "CREATE FUNCTION public.f() RETURNS void LANGUAGE sql AS 'CREATE EXTENSION ltree'; SELECT public.f();",
    "an extension in an event trigger": WATCHES + NESTED + "DO $$ BEGIN CREATE EXTENSION citext; END $$;",
    "an update in a block": "DO $$ BEGIN CREATE EXTENSION hstore VERSION '1.4'; END $$;"
    + WATCHES
    + "DO $$ BEGIN ALTER EXTENSION hstore UPDATE; END $$;",
    "a name like ours": "CREATE EVENT TRIGGER _trigger_audit_a ON ddl_command_end EXECUTE FUNCTION public.watch();"
    "DO $$ BEGIN CREATE EXTENSION citext; END $$;",
    "functions of ours": WATCHES
    + """
    CREATE EVENT TRIGGER y ON ddl_command_start EXECUTE FUNCTION _trigger_audit.unsilence();
    CREATE EVENT TRIGGER yy ON ddl_command_end EXECUTE FUNCTION _trigger_audit.unsilence();
    DO $$ BEGIN CREATE EXTENSION citext; END $$;
    """,
    "a language": WATCHES + "DO $$ BEGIN CREATE LANGUAGE citext; END $$;",
    "event triggers of ours": WATCHES
    + """
    DO $$ DECLARE n name; BEGIN
      FOR n IN SELECT evtname FROM pg_event_trigger LOOP
        BEGIN EXECUTE format('DROP EVENT TRIGGER %I', n); EXCEPTION WHEN OTHERS THEN NULL; END;
        BEGIN EXECUTE format('ALTER EVENT TRIGGER %I DISABLE', n); EXCEPTION WHEN OTHERS THEN NULL; END;
      END LOOP;
      CREATE EXTENSION citext;
    END $$;
    """,
}


@pytest.mark.parametrize("attack", IN_SCRIPTS)
@pytest.mark.parametrize("database", ["fresh_database", "fresh_database15"])
def test_event_triggers_in_the_scripts_of_extensions(
    request: pytest.FixtureRequest, database: str, attack: str, folder: Path
) -> None:
    target: FreshDatabase = request.getfixturevalue(database)
    load_files(target.conninfo(), [SqlFile("a.sql", EVIL.replace("{folder}", str(folder)) + IN_SCRIPTS[attack])])
    assert list(folder.iterdir()) == []


CUBE = """
CREATE SCHEMA hostile;
CREATE DOMAIN hostile.checked AS int CHECK (public.evil());
CREATE TYPE hostile.cube AS (n hostile.checked);
CREATE FUNCTION hostile.cube_is_point(hostile.cube) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION hostile.cube_dim(hostile.cube) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION hostile.cube_distance(hostile.cube, hostile.cube) RETURNS float8 LANGUAGE sql AS 'SELECT 1::float8';
CREATE EXTENSION cube SCHEMA public;
CREATE EXTENSION earthdistance SCHEMA hostile;
DO $$ BEGIN CREATE EXTENSION earthdistance SCHEMA hostile VERSION '1.1'; END $$;
"""


@pytest.mark.parametrize("database", ["fresh_database", "fresh_database15"])
def test_a_type_that_a_script_means_by_its_name(request: pytest.FixtureRequest, database: str, folder: Path) -> None:
    target: FreshDatabase = request.getfixturevalue(database)
    load_files(target.conninfo(), [SqlFile("a.sql", EVIL.replace("{folder}", str(folder)) + CUBE)])
    assert list(folder.iterdir()) == []


# What the scripts and bodies of the stand-ins call without a schema, as functions, operators and types of the project.
HOSTILE = """
CREATE FUNCTION {schema}.evil() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  COPY (SELECT current_user) TO PROGRAM 'cat > {folder}/written';
  RETURN true;
EXCEPTION WHEN insufficient_privilege THEN
  RETURN true;
END $$;
CREATE DOMAIN {schema}.checked AS text CHECK ({schema}.evil());
DO $do$
DECLARE
  called text;
  sign text;
BEGIN
  FOREACH called IN ARRAY string_to_array(
    'now,uuid_send,current_database,concat,format,convert_to,clock_timestamp,lower,nextval', ','
  ) LOOP
    EXECUTE format(
      'CREATE FUNCTION {schema}.%1$I() RETURNS text LANGUAGE sql AS ''SELECT {schema}.evil()::text'';
       CREATE FUNCTION {schema}.%1$I(text) RETURNS text LANGUAGE sql AS ''SELECT {schema}.evil()::text'';
       CREATE FUNCTION {schema}.%1$I(text, text) RETURNS text LANGUAGE sql AS ''SELECT {schema}.evil()::text'';
       CREATE FUNCTION {schema}.%1$I(VARIADIC text[]) RETURNS text LANGUAGE sql AS ''SELECT {schema}.evil()::text'';',
      called
    );
  END LOOP;
  CREATE FUNCTION {schema}.met(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT {schema}.evil()';
  CREATE FUNCTION {schema}.met(text, varchar) RETURNS boolean LANGUAGE sql AS 'SELECT {schema}.evil()';
  CREATE FUNCTION {schema}.met(varchar, varchar) RETURNS boolean LANGUAGE sql AS 'SELECT {schema}.evil()';
  FOREACH sign IN ARRAY string_to_array('= <> || + - < > ~ @>', ' ') LOOP
    EXECUTE format(
      'CREATE OPERATOR {schema}.%1$s (FUNCTION = {schema}.met, LEFTARG = text, RIGHTARG = text);
       CREATE OPERATOR {schema}.%1$s (FUNCTION = {schema}.met, LEFTARG = text, RIGHTARG = varchar);
       CREATE OPERATOR {schema}.%1$s (FUNCTION = {schema}.met, LEFTARG = varchar, RIGHTARG = varchar);', sign
    );
  END LOOP;
END $do$;
"""


def schema_of(name: str) -> str | None:
    """The schema that an extension must be in, where its control file names one."""
    control = (sql_folder() / "extensions" / f"{name}.control").read_text(encoding="utf-8")
    found = re.search(r"^schema = '(\w+)'", control, re.MULTILINE)
    return found[1] if found else None


@pytest.mark.parametrize("database", ["fresh_database", "fresh_database15"])
def test_what_the_scripts_of_stand_ins_call(request: pytest.FixtureRequest, database: str, folder: Path) -> None:
    """Every stand-in, first into a schema full of a project's own functions and operators, then in a block."""
    target: FreshDatabase = request.getfixturevalue(database)
    # Where postgres may make things: the others are there already.
    schemas = {"hostile", "cron", "dbdev", *filter(None, map(schema_of, stand_ins()))} - {
        "vault",
        "graphql",
        "pgsodium",
    }
    made = "".join(f"CREATE SCHEMA {schema};" for schema in sorted(schemas))
    hostile = [HOSTILE.replace("{schema}", schema) for schema in sorted(schemas)]
    created = []
    for name in sorted(stand_ins()):
        where = "" if schema_of(name) else " SCHEMA hostile"
        created.append(f'DROP EXTENSION IF EXISTS "{name}" CASCADE; CREATE EXTENSION "{name}"{where};')
        created.append(f'DROP EXTENSION IF EXISTS "{name}" CASCADE;')
        created.append(f'DO $$ BEGIN CREATE EXTENSION "{name}"{where}; END $$;')
    text = "SET search_path = hostile, public;" + "".join(created)
    files = [made, *(each.replace("{folder}", str(folder)) for each in hostile), text]
    report = load_files(target.conninfo(), [SqlFile(f"{at}.sql", each) for at, each in enumerate(files)])
    # The two that make a schema of their own, and find it taken.
    assert [failed.message for failed in report.failed] == [
        f'schema "{schema}" already exists' for schema in ("cron", "cron", "dbdev", "dbdev")
    ]
    assert list(folder.iterdir()) == []
