"""A sandbox in a container: what is made of the image's server, what the engine is asked for, and every refusal."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.cli import warm
from tests.cli.running import environment, run
from tests.conftest import FreshDatabase
from tests.sandbox.image import PASSWORD, ROLES, Engine, ImageServer, image_server
from trigger_audit.errors import TriggerAuditError, UsageError
from trigger_audit.opening import sandbox_with, sql_input
from trigger_audit.pipeline import SmokeOptions, scan, smoke
from trigger_audit.resources import read_sql, sql_folder
from trigger_audit.rules.registry import all_rules
from trigger_audit.sandbox import bootstrap, container, docker
from trigger_audit.sandbox.binaries import find_binaries
from trigger_audit.sandbox.docker import DockerImage, await_server, parse_image, prepared
from trigger_audit.sandbox.migrations import load_files
from trigger_audit.sandbox.project import SqlFile
from trigger_audit.sandbox.server import Sandbox

IMAGE = DockerImage("supabase/postgres:15.6.1.145")
BROKEN = sql_folder() / "examples" / "broken"
RELATIONS = """
SELECT n.nspname || '.' || c.relname || '.' || a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
       pg_catalog.pg_get_userbyid(c.relowner)
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE a.attnum > 0 AND n.nspname IN ('auth', 'storage', 'realtime', 'vault', 'net') AND c.relkind IN ('r', 'v', 'p')
 ORDER BY 1
"""


@pytest.fixture(scope="module")
def server(postgres15_binaries: Path) -> Iterator[ImageServer]:
    with image_server(postgres15_binaries) as running:
        yield running


@pytest.fixture
def engine(server: ImageServer) -> Iterator[Engine]:
    """One whose containers run the server."""
    with Engine(server).running() as running:
        yield running
    if running.created:
        with server.open("template1", running.passwords[-1]) as connection:
            connection.execute(sql.SQL("ALTER ROLE supabase_admin PASSWORD {}").format(sql.Literal(PASSWORD)))


@pytest.fixture
def in_place_of_a_container(server: ImageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server, where a container would be started."""

    server.renew()

    @contextlib.contextmanager
    def started(image: str, superuser: str, progress: Callable[[str], None]) -> Iterator[container.Started]:
        yield server.started

    monkeypatch.setattr(container, "started_container", started)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("17.6.1.044", "supabase/postgres:17.6.1.044"),
        (" 15.8.1.060-rc1\n", "supabase/postgres:15.8.1.060-rc1"),
        ("supabase/postgres:17.6.1.044", "supabase/postgres:17.6.1.044"),
        ("postgres:17", "postgres:17"),
        ("localhost:5000/own/postgres@sha256:0a1b", "localhost:5000/own/postgres@sha256:0a1b"),
    ],
)
def test_an_image_or_a_version(text: str, name: str) -> None:
    assert parse_image(text) == DockerImage(name)


@pytest.mark.parametrize("text", ["", "  ", "a b", "-x", "Supabase/postgres", "a;b"])
def test_what_names_no_image(text: str) -> None:
    with pytest.raises(UsageError, match="--docker: "):
        parse_image(text)


def test_a_project_is_made_of_the_images_server(server: ImageServer, postgres15: Sandbox) -> None:
    with server.open() as before:
        before.execute("create table public.left_over ()")
        made = prepared(IMAGE, server.started)
        with pytest.raises(psycopg.OperationalError):
            before.execute("select 1")
    assert made.server_version.startswith("15.")
    assert made.notes == ()
    with psycopg.connect(made.conninfo()) as ours, psycopg.connect(postgres15.conninfo()) as other:
        assert ours.execute(RELATIONS).fetchall() == other.execute(RELATIONS).fetchall()
        assert ours.execute("select to_regclass('public.left_over')").fetchone() == (None,)
        # Of those that were not in the image, one of each kind.
        assert ours.execute("select 'supabase_etl_admin'::regrole, 'supabase_functions_admin'::regrole").fetchone()
        assert ours.execute(
            "select pg_get_userbyid(datdba), pg_encoding_to_char(encoding) from pg_database where datname = 'postgres'"
        ).fetchone() == ("postgres", "UTF8")
    for role in ("postgres", "supabase_auth_admin"):
        with psycopg.connect(made.conninfo(role)) as login:
            assert login.execute("select session_user").fetchone() == (role,)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(made.conninfo("postgres"), password="another")
    assert PASSWORD not in repr(made) + repr(server.started)


def test_a_worker_that_comes_back_again_and_again_holds_nothing_up(server: ImageServer) -> None:
    """As pg_cron's and pg_net's do: they are started anew as soon as they have been ended."""
    over = threading.Event()
    came: list[int] = []

    def worker() -> None:
        while not over.is_set():
            with contextlib.suppress(psycopg.Error), server.open() as connection:
                came.append(connection.info.backend_pid)
                connection.execute("select pg_sleep(0.2)")

    thread = threading.Thread(target=worker)
    thread.start()
    try:
        while not came:
            time.sleep(0.01)
        with server.open("template1") as connection:
            docker._make_database(connection)
    finally:
        over.set()
        thread.join()
    with server.open() as connection:
        assert connection.execute("select to_regnamespace('auth')").fetchone() == (None,)


def test_what_works_in_the_background_is_put_to_rest(server: ImageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    known = ("pg_stat_statements", "pg_stat_statements.track", "none")
    monkeypatch.setattr(
        docker,
        "_AT_REST",
        (known, ("pg_stat_statements", "pg_stat_statements.rest", "on"), ("absent", "absent.x", "on")),
    )
    with server.open("template1") as connection:
        try:
            (note,) = docker._put_to_rest(connection)
            assert "pg_stat_statements.rest" in note
            ends = time.monotonic() + 10
            while connection.execute("show pg_stat_statements.track").fetchone() != ("none",):
                assert time.monotonic() < ends
        finally:
            connection.execute("alter system reset all")
            connection.execute("select pg_reload_conf()")


def test_an_extension_that_cannot_be_created_is_a_note(server: ImageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "PREINSTALLED", (("plpgsql", "extensions"), *bootstrap.PREINSTALLED))
    made = prepared(IMAGE, server.started)
    assert made.notes == (
        'the image\'s own extension plpgsql cannot be created: extension "plpgsql" already exists (42710)',
    )
    with psycopg.connect(made.conninfo("postgres")) as connection:
        assert connection.execute("select extensions.uuid_generate_v4() is not null").fetchone() == (True,)


def test_a_server_that_cannot_be_made_a_project_of(server: ImageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "BOOTSTRAP_FILES", ("supabase/40_storage.sql",))
    with pytest.raises(TriggerAuditError) as raised:
        prepared(IMAGE, server.started)
    assert raised.value.message == f'no sandbox can be made in {IMAGE.name}: schema "storage" does not exist (3F000)'


def test_rights_on_the_objects_of_real_extensions(fresh_database15: FreshDatabase) -> None:
    """The stand-ins are extensions too, of the same names."""
    checks = """
    select has_schema_privilege('anon', 'net', 'usage'), has_table_privilege('postgres', 'vault.secrets', 'delete'),
           has_function_privilege('service_role', 'vault.create_secret(text, text, text, uuid)', 'execute')
    """
    with psycopg.connect(fresh_database15.conninfo(), autocommit=True) as connection:
        connection.execute("revoke all on schema net from public, anon")
        connection.execute("revoke all on all tables in schema vault from postgres, service_role")
        connection.execute("revoke all on all functions in schema vault from postgres, service_role")
        assert connection.execute(checks).fetchone() == (False, False, False)
        connection.execute(read_sql("sandbox/real_extensions.sql").encode())
        assert connection.execute(checks).fetchone() == (True, True, True)


def test_an_extension_that_the_dashboard_would_enable(server: ImageServer) -> None:
    """The one login of its own that loading needs has the password too."""
    made = prepared(IMAGE, server.started)
    text = "create table public.places (name text);\ncreate index on public.places using gin (name gin_trgm_ops);"
    report = load_files(made.conninfo(), [SqlFile("a.sql", text)])
    assert report.failed == ()
    assert "needs the extension pg_trgm" in " ".join(report.notes)


def judged(server: Path | DockerImage) -> tuple[list[Any], list[Any]]:
    """The findings and outcomes of the demo's project."""
    with sandbox_with(sql_input((BROKEN,)), ["demo"], postgres=server, progress=lambda text: None) as opened:
        assert opened.not_applied == ()
        scanned = scan(opened.connection, opened.info, all_rules(), source_map=opened.source_map)
        options = SmokeOptions(flows=("signup-email", "login"), allow_locks=True, unmask=True)
        smoked = smoke(opened.connection, opened.info, options)
    findings = [(each.rule, each.object, each.place, each.message) for each in scanned.findings]
    flows = [
        (each.flow, each.payload, each.outcome, [(culprit.kind, culprit.name) for culprit in each.culprits])
        for each in smoked.report.flows
    ]
    return findings, flows


@pytest.mark.extended
@pytest.mark.parametrize("roles", [ROLES, "select 'PostgreSQL alone'"])
def test_later_versions_and_servers_without_anything(roles: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is a member of whom goes by other rules since 16."""
    with image_server(find_binaries().folder, roles) as running:
        monkeypatch.setattr(container, "started_container", lambda *_: contextlib.nullcontext(running.started))
        with sandbox_with(sql_input((BROKEN,)), ["demo"], postgres=IMAGE, progress=lambda text: None) as opened:
            assert opened.info.platform == "supabase"
            assert opened.not_applied == ()
            members = opened.connection.execute("select pg_has_role('postgres', 'supabase_auth_admin', 'member')")
            assert members.fetchone() == (False,)
            opened.connection.rollback()
            smoked = smoke(opened.connection, opened.info, SmokeOptions(flows=("signup-email",), allow_locks=True))
    assert all(each.outcome == "fail" and each.culprits for each in smoked.report.flows)


@pytest.mark.usefixtures("in_place_of_a_container")
def test_scan_and_smoke_say_the_same_as_in_any_sandbox(postgres15_binaries: Path) -> None:
    findings, flows = judged(IMAGE)
    assert findings
    assert any(outcome == "fail" and culprits for _, _, outcome, culprits in flows)
    assert (findings, flows) == judged(postgres15_binaries)


def test_a_container_is_pulled_started_used_and_removed(engine: Engine) -> None:
    arguments = ("supabase/", "--flow", "signup-email", "--docker", "15.6.1.145", "-v")
    found = run("smoke", *arguments, cwd=BROKEN, env=engine.environment, fresh=True)
    assert found.code == 1
    assert "breaks: signup-email" in found.out
    assert engine.pulled == [IMAGE.name]
    ((name, body),) = engine.created.items()
    assert engine.removed == [name]
    assert body["Image"] == IMAGE.name
    assert body["Labels"][container.LABEL]
    assert body["HostConfig"]["Dns"] == ["127.0.0.1"]
    assert engine.variables(name) | {"POSTGRES_USER": "supabase_admin", "POSTGRES_DB": "postgres"} == (
        engine.variables(name)
    )
    assert len(engine.passwords[0]) >= 32
    assert engine.passwords[0] not in found.out + found.err


@pytest.mark.extended
def test_check_has_a_container_for_each_state(engine: Engine, tmp_path: Path) -> None:
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")
    migrations = tmp_path / "supabase" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "1_a.sql").write_text("create table public.a (id int);")
    for arguments in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-q", "-m", "a")):
        subprocess.run([*git, *arguments], cwd=tmp_path, check=True)
    (migrations / "2_b.sql").write_text("create table public.b (id int);")
    found = run("check", "--base", "main", "--docker", IMAGE.name, "-q", cwd=tmp_path, env=engine.environment)
    assert found.code == 0, found.err
    assert len(engine.removed) == 2
    assert len(engine.pulled) == 1
    assert list(engine.created) == engine.removed


def refused(engine: Engine, *arguments: str) -> str:
    """The one line of a command that exits with 2, without a word of the password; its containers are gone."""
    found = run("scan", "supabase/", "--docker", IMAGE.name, *arguments, cwd=BROKEN, env=engine.environment)
    assert found.code == 2
    assert found.out == ""
    assert list(engine.created) == engine.removed
    assert not any(password in found.err for password in engine.passwords)
    return found.error


def test_an_image_that_cannot_be_pulled() -> None:
    with Engine(refuses_pull="manifest for supabase/postgres:15.6.1.145 not found").running() as engine:
        said = refused(engine)
    assert "supabase/postgres:15.6.1.145 cannot be pulled: manifest for" in said
    assert "supabase/.temp/postgres-version" in said


def test_a_container_that_ends_at_once() -> None:
    with Engine(last_words="initdb: error\nno space left on device\n").running() as engine:
        said = refused(engine)
    assert IMAGE.name in said
    assert "no space left on device" in said
    assert len(engine.removed) == 1


def test_a_container_without_a_postgresql_server(server: ImageServer) -> None:
    silent = container.Started("127.0.0.1", 1, "a secret", lambda: None)
    with pytest.raises(TriggerAuditError, match=r"takes no login as supabase_admin: .*refused"):
        await_server(IMAGE, silent, seconds=0.6)
    began = time.monotonic()
    with pytest.raises(TriggerAuditError, match="password authentication failed") as raised:
        await_server(IMAGE, container.Started("127.0.0.1", server.port, "a secret", lambda: None))
    assert time.monotonic() - began < 10
    assert "a secret" not in str(raised.value)
    with pytest.raises(TriggerAuditError, match="has ended before its server was ready: out of memory"):
        await_server(IMAGE, container.Started("127.0.0.1", 1, "a secret", lambda: "out of memory"))


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_container_goes_with_its_command(sent: signal.Signals) -> None:
    """While its server is waited for, which never comes."""
    with Engine().running() as engine:
        with warm.start(
            "smoke", "supabase/", "--docker", IMAGE.name,
            env=environment() | engine.environment, cwd=BROKEN, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        ) as process:  # fmt: skip
            ends = time.monotonic() + 30
            while not engine.created:
                assert time.monotonic() < ends
                time.sleep(0.05)
            time.sleep(0.5)
            process.send_signal(sent)
            _, err = process.communicate(timeout=20)
        assert list(engine.created) == engine.removed
    assert "Traceback" not in err
    assert process.returncode == (2 if sent is signal.SIGINT else 143)


def test_no_engine(tmp_path: Path) -> None:
    began = time.monotonic()
    for command in ("scan", "smoke", "check"):
        found = run(
            command, "supabase/", "--docker", "17.6.1.044", cwd=BROKEN, env={"DOCKER_HOST": f"unix://{tmp_path}/none"}
        )
        assert found.code == 2
        assert found.error == (
            f"error: no Docker engine answers at unix://{tmp_path}/none: No such file or directory "
            "(`docker info` must answer; without --docker a sandbox needs no Docker)"
        )
        # The line about the target and the error: nothing else.
        assert len(found.err.splitlines()) == 2
    assert time.monotonic() - began < 30


def test_testcontainers_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "testcontainers.core.container", None)
    with (
        pytest.raises(UsageError) as raised,
        container.started_container(IMAGE.name, "supabase_admin", lambda text: None),
    ):
        pass
    assert raised.value.message == "--docker needs testcontainers, which is not installed"
    assert raised.value.remedy == ("pip install 'testcontainers>=4', or install trigger-audit with its extra [docker]")


def test_options_that_contradict_it() -> None:
    both = run("scan", "supabase/", "--docker", "17.6.1.044", "--postgres", "/usr/bin", cwd=BROKEN)
    database = run("scan", "postgresql://nobody@127.0.0.1:1/nothing", "--docker", "17.6.1.044")
    assert (both.code, database.code) == (2, 2)
    assert "--postgres and --docker contradict each other" in both.error
    assert "--docker chooses the sandbox's server, and a database has its own" in database.error


REAL_IMAGE = "supabase/postgres:17.6.1.044"


@pytest.fixture
def real_engine() -> None:
    try:
        answers = subprocess.run(["docker", "info"], capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        answers = False
    if not answers:
        pytest.skip(f"NO DOCKER ENGINE ANSWERS: nothing is tried in a container of {REAL_IMAGE} itself")


@pytest.mark.usefixtures("real_engine")
def test_in_the_real_image() -> None:
    found = run("smoke", "supabase/", "--docker", REAL_IMAGE, "-v", cwd=BROKEN, timeout=900, fresh=True)
    assert found.code == 1, found.err
    assert "not applied" not in found.err
    assert "breaks: signup-email" in found.out
    mended = sql_folder() / "examples" / "mended"
    found = run("smoke", str(BROKEN), str(mended), "--docker", REAL_IMAGE, timeout=300)
    assert found.code == 0, found.out + found.err
    left = subprocess.run(
        ["docker", "ps", "--all", "--quiet", "--filter", f"label={container.LABEL}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert left.stdout == ""
