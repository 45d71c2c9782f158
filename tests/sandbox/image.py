"""A server in the state in which the entrypoint of supabase/postgres leaves it, and an engine that starts it.

No image is needed for either: the server is the machine's own PostgreSQL 15, and the engine answers Docker's HTTP
interface as far as a client asks for one container.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg
from psycopg import sql

from trigger_audit.resources import read_sql
from trigger_audit.sandbox.auditor import ROLE as AUDITOR
from trigger_audit.sandbox.binaries import as_account, find_binaries, server_account, server_environment
from trigger_audit.sandbox.container import Started

PASSWORD = "o'ne\\ of the image's"
# In the words of nobody else: what its scripts leave of roles in the autumn of 2024, in that order.
ROLES = """
create role postgres login createdb createrole replication bypassrls;
create role supabase_replication_admin login replication;
create role supabase_read_only_user login bypassrls;
create role anon nologin inherit;
create role authenticated nologin inherit;
create role service_role nologin inherit bypassrls;
create role authenticator login noinherit;
create role supabase_auth_admin login noinherit createrole;
create role supabase_storage_admin login noinherit createrole;
create role dashboard_user nologin createdb createrole replication;
create role pgbouncer login;
create role pgsodium_keyiduser;
create role pgsodium_keyholder in role pgsodium_keyiduser;
create role pgsodium_keymaker in role pgsodium_keyholder;
grant anon, authenticated, service_role to authenticator;
grant authenticator to supabase_storage_admin;
grant supabase_auth_admin, supabase_storage_admin, anon, authenticated, service_role, pg_monitor to postgres;
grant pg_read_all_data, pg_signal_backend to postgres;
grant pgsodium_keyiduser, pgsodium_keyholder, pgsodium_keymaker to postgres with admin option;
alter role supabase_admin set search_path = "$user", public, auth, extensions;
alter role postgres set search_path = "$user", public, extensions;
alter role supabase_auth_admin set search_path = auth;
create schema auth authorization supabase_admin;
create schema extensions;
create table auth.users (instance_id uuid, id uuid not null unique, email varchar(255) unique);
alter table auth.users owner to supabase_auth_admin;
create publication supabase_realtime;
"""


@dataclass(frozen=True, slots=True)
class ImageServer:
    """A running one."""

    port: int

    def open(self, database: str = "postgres", password: str = PASSWORD) -> psycopg.Connection:
        """A session of the superuser, with autocommit."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="supabase_admin",
            password=password,
            dbname=database,
            autocommit=True,
        )

    def renew(self, password: str = PASSWORD) -> None:
        """Takes out what a sandbox has left that is no database's, as it is in a new container."""
        with self.open(password=password) as connection:
            if connection.execute(read_sql("sandbox/role.sql"), {"role": AUDITOR}).fetchone() is not None:
                connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(AUDITOR)))
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(AUDITOR)))

    @property
    def started(self) -> Started:
        """What is known of a container that runs it."""
        return Started("127.0.0.1", self.port, PASSWORD, lambda: None)


@contextlib.contextmanager
def image_server(binaries: Path, roles: str = ROLES) -> Iterator[ImageServer]:
    """Over TCP everybody needs a password, which only the superuser has. `roles` is run by that."""
    folder = Path(tempfile.mkdtemp(prefix="trigger-audit-test-"))
    account = server_account()
    (folder / "password").write_text(PASSWORD)
    if account is not None:
        for path in (folder, folder / "password"):
            os.chown(path, account.uid, account.gid)
    program = find_binaries(binaries).folder
    as_server: dict[str, Any] = {"cwd": "/", "env": server_environment(), **as_account(account)}
    process: subprocess.Popen[bytes] | None = None
    try:
        subprocess.run(
            [
                program / "initdb", "-D", folder / "data", "--username=supabase_admin", "--auth=scram-sha-256",
                "--pwfile", folder / "password", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
            ],
            check=True, capture_output=True, **as_server,
        )  # fmt: skip
        port = _free_port()
        given = {
            "listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": "", "fsync": "off",
            "shared_buffers": "32MB", "wal_level": "logical", "shared_preload_libraries": "pg_stat_statements",
        }  # fmt: skip
        options = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [program / "postgres", "-D", folder / "data", *options], stdout=log, stderr=log, **as_server
            )
        server = ImageServer(port)
        _await(server, folder / "log")
        with server.open() as connection:
            connection.execute(roles.encode())
        yield server
    finally:
        if process is not None:
            process.send_signal(signal.SIGQUIT)
            process.wait(timeout=30)
        shutil.rmtree(folder)


def _await(server: ImageServer, log: Path) -> None:
    ends = time.monotonic() + 30
    while True:
        try:
            server.open().close()
        except psycopg.OperationalError:
            assert time.monotonic() < ends, log.read_text()
            time.sleep(0.02)
        else:
            return


def _free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


@dataclass
class Engine:
    """What an engine was asked for, and how it answers.

    `server` is what a container's port leads to, None a port where nobody listens. `last_words`: the container ends at
    once, and that is its log.
    """

    server: ImageServer | None = None
    refuses_pull: str | None = None
    last_words: str | None = None
    pulled: list[str] = field(default_factory=list)
    created: dict[str, dict[str, Any]] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    address: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """For a command that is to use this engine. The reaper is a container more, for which there is no server."""
        return {
            "DOCKER_HOST": self.address,
            "TESTCONTAINERS_RYUK_DISABLED": "true",
            "TESTCONTAINERS_CONNECTION_MODE": "docker_host",
            "NO_PROXY": "*",
        }

    @property
    def passwords(self) -> list[str]:
        return [self.variables(each)["POSTGRES_PASSWORD"] for each in self.created]

    def variables(self, container: str) -> dict[str, str]:
        """The environment variables that a container was created with."""
        return dict(text.split("=", 1) for text in self.created[container]["Env"])

    @contextlib.contextmanager
    def running(self) -> Iterator[Engine]:
        """Answers on loopback until the end of the block."""
        engine = self

        class Handler(_Handler):
            asked = engine

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
            self.address = f"tcp://127.0.0.1:{listening.server_address[1]}"
            thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            try:
                yield self
            finally:
                listening.shutdown()
                thread.join()

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        """Status and JSON, or the bytes, by Docker's description of its interface."""
        match method, path.split("/"):
            case "GET", ["version"]:
                return 200, {"ApiVersion": "1.43", "Version": "24.0"}
            case "GET", ["images", *name, "json"]:
                known = "/".join(name) in self.pulled
                return (
                    (200, {"Id": "sha256:0", "RepoTags": self.pulled}) if known else (404, {"message": "No such image"})
                )
            case "POST", ["images", "create"]:
                if self.refuses_pull is not None:
                    return 404, {"message": self.refuses_pull}
                self.pulled.append(f"{query['fromImage'][0]}:{query['tag'][0]}")
                return 200, {"status": "Pull complete"}
            case "GET", ["networks"]:
                return 200, []
            case "POST", ["containers", "create"]:
                name = f"{len(self.created) + 1:064x}"
                self.created[name] = body
                return 201, {"Id": name, "Warnings": []}
            case "POST", ["containers", name, "start"]:
                self._enter(self.variables(name))
                return 204, None
            case "GET", ["containers", "json"]:
                (label,) = json.loads(query["filters"][0])["label"]
                key, _, value = label.partition("=")
                return 200, [{"Id": each} for each in self._present if self.created[each]["Labels"].get(key) == value]
            case "GET", ["containers", name, "json"]:
                return (
                    (200, self._inspected(name)) if name in self._present else (404, {"message": "No such container"})
                )
            case "GET", ["containers", _, "logs"]:
                text = (self.last_words or "").encode()
                return 200, b"\x01\0\0\0" + len(text).to_bytes(4, "big") + text
            case "DELETE", ["containers", name]:
                self.removed.append(name)
                return 204, None
        raise AssertionError(f"the engine does not know {method} {path}")

    @property
    def _present(self) -> list[str]:
        return [each for each in self.created if each not in self.removed]

    def _inspected(self, name: str) -> dict[str, Any]:
        port = self.server.port if self.server is not None else 1
        status = "running" if self.last_words is None else "exited"
        return {
            "Id": name,
            "Name": f"/{name[-8:]}",
            "Image": "sha256:0",
            "State": {"Status": status, "Running": status == "running"},
            "Config": {"Labels": self.created[name]["Labels"], "Tty": False},
            "HostConfig": {"NetworkMode": "default", "LogConfig": {"Type": "json-file"}},
            "NetworkSettings": {"Ports": {"5432/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}},
        }

    def _enter(self, variables: dict[str, str]) -> None:
        """What the entrypoint makes of its variables."""
        if self.server is not None:
            known = self.passwords[-2] if len(self.created) > 1 else PASSWORD
            self.server.renew(known)
            with self.server.open("template1", known) as connection:
                connection.execute(
                    sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                        sql.Identifier(variables["POSTGRES_USER"]), sql.Literal(variables["POSTGRES_PASSWORD"])
                    )
                )


class _Handler(BaseHTTPRequestHandler):
    asked: Engine
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Not on standard error."""

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"null")
        url = urlsplit(self.path)
        path = unquote(url.path).strip("/")
        path = path.partition("/")[2] if path.startswith("v1.") else path
        status, said = self.asked.answer(self.command, path, parse_qs(url.query, keep_blank_values=True), body)
        content = said if isinstance(said, bytes) else b"" if said is None else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815
