"""The real Supabase Auth as a process, and a client of its HTTP interface."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from psycopg.conninfo import conninfo_to_dict

from tests.conformance.outside import Outside
from trigger_audit.auth.roles import ROLE

_SECRET = "a secret that protects nothing at all"
_START_SECONDS = 20.0
SITE = "http://localhost:3000"


class Database(Protocol):
    """One that Auth and smoke both work on."""

    def conninfo(self, role: str = ...) -> str:
        """A libpq conninfo for a login as this role, by default as a superuser."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`body` is the JSON of the answer; of a redirect `parameters` are those in the address, query and fragment."""

    status: int
    body: dict[str, object]
    parameters: Mapping[str, str]

    @property
    def error(self) -> tuple[int, str | None, str]:
        """Status, error code and message, as smoke's response has them."""
        if self.parameters:
            message = self.parameters.get("error_description", "")
            return self.status, self.parameters.get("error_code"), message
        if self.status < 400:
            return self.status, None, ""
        if "error_description" in self.body:  # OAuth's form
            return self.status, None, str(self.body["error_description"])
        if "msg" in self.body:  # without the header, where `code` is the status again
            return self.status, _text(self.body.get("error_code")), str(self.body["msg"])
        return self.status, _text(self.body.get("code")), _text(self.body.get("message")) or ""

    @property
    def failed(self) -> bool:
        return self.status >= 400 or "error" in self.parameters

    @property
    def ok(self) -> dict[str, object]:
        """The body; AssertionError where the request failed."""
        assert self.status == 200, (self.status, self.body)
        return self.body


def _text(value: object) -> str | None:
    return None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Auth:
    """A running Auth. `log` is the file that it writes; `header`: requests carry supabase-js's API version."""

    port: int
    log: Path
    header: bool = True

    def post(self, path: str, body: Mapping[str, object], token: str | None = None) -> Reply:
        return self.send("POST", path, body, token)

    def put(self, path: str, body: Mapping[str, object], token: str) -> Reply:
        return self.send("PUT", path, body, token)

    def get(self, path: str) -> Reply:
        return self.send("GET", path)

    def send(self, method: str, path: str, body: Mapping[str, object] | None = None, token: str | None = None) -> Reply:
        """One request as supabase-js sends it; `token` is the bearer's."""
        headers = {"User-Agent": "trigger-audit"}
        if self.header:
            headers["X-Supabase-Api-Version"] = "2024-01-01"
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        text = None
        if body is not None:
            text = json.dumps(body)
            headers["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, text, headers)
            answer = connection.getresponse()
            raw = answer.read()
            address = answer.headers.get("location")
        finally:
            connection.close()
        parsed: object = json.loads(raw) if raw and "json" in (answer.headers.get("content-type") or "") else {}
        found = urlsplit(address or "")
        # The same stands in both, but the fragment is escaped twice.
        parameters = {**dict(parse_qsl(found.fragment)), **dict(parse_qsl(found.query))}
        return Reply(answer.status, parsed if isinstance(parsed, dict) else {}, parameters)


def service_token() -> str:
    """The bearer token of an administrator."""
    claims = {"role": "service_role", "aud": "authenticated", "exp": int(time.time()) + 3600}
    signed = ".".join(_base64(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{signed}.{_base64(hmac.digest(_SECRET.encode(), signed.encode(), hashlib.sha256))}"


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _url(conninfo: str) -> str:
    """The same as the URL that Auth's driver wants."""
    given = {name: str(value) for name, value in conninfo_to_dict(conninfo).items() if value}
    taken = {name: value for name, value in given.items() if name in ("host", "port", "user", "password")}
    return f"postgres:///{quote(given['dbname'])}?{urlencode(taken)}"


def _environment(database: Database, outside: Outside, port: int, settings: Mapping[str, str]) -> dict[str, str]:
    """As Supabase's own set-ups have it, with limits that no test reaches."""
    provider = f"http://127.0.0.1:{outside.http_port}"
    kinds = ("CONFIRMATION", "RECOVERY", "MAGIC_LINK", "INVITE", "EMAIL_CHANGE")
    limits = ("EMAIL_SENT", "SMS_SENT", "VERIFY", "TOKEN_REFRESH", "OTP", "ANONYMOUS_USERS")
    return {
        "DATABASE_URL": _url(database.conninfo(ROLE)),
        "GOTRUE_DB_DRIVER": "postgres",
        # Without, each statement outside of a transaction has a connection of its own.
        "GOTRUE_DB_MAX_POOL_SIZE": "8",
        "GOTRUE_DB_MAX_IDLE_POOL_SIZE": "8",
        "GOTRUE_API_HOST": "127.0.0.1",
        "PORT": str(port),
        "API_EXTERNAL_URL": f"http://127.0.0.1:{port}",
        "GOTRUE_SITE_URL": SITE,
        "GOTRUE_JWT_SECRET": _SECRET,
        "GOTRUE_JWT_AUD": "authenticated",
        "GOTRUE_JWT_DEFAULT_GROUP_NAME": "authenticated",
        "GOTRUE_JWT_ADMIN_ROLES": "service_role,supabase_admin",
        "GOTRUE_SMTP_HOST": "127.0.0.1",
        "GOTRUE_SMTP_PORT": str(outside.smtp_port),
        "GOTRUE_SMTP_ADMIN_EMAIL": "auth@example.com",
        "GOTRUE_SMTP_MAX_FREQUENCY": "1us",
        "GOTRUE_SMS_MAX_FREQUENCY": "1us",
        "GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED": "true",
        "GOTRUE_EXTERNAL_PHONE_ENABLED": "true",
        "GOTRUE_HOOK_SEND_SMS_ENABLED": "true",
        "GOTRUE_HOOK_SEND_SMS_URI": f"{provider}/sms",
        "GOTRUE_HOOK_SEND_SMS_SECRETS": "v1,whsec_" + base64.b64encode(_SECRET.encode()).decode(),
        "GOTRUE_EXTERNAL_KEYCLOAK_ENABLED": "true",
        "GOTRUE_EXTERNAL_KEYCLOAK_CLIENT_ID": "client",
        "GOTRUE_EXTERNAL_KEYCLOAK_SECRET": "secret",
        "GOTRUE_EXTERNAL_KEYCLOAK_URL": provider,
        "GOTRUE_EXTERNAL_KEYCLOAK_REDIRECT_URI": f"http://127.0.0.1:{port}/callback",
        **{f"GOTRUE_MAILER_TEMPLATES_{kind}": f"{provider}/template" for kind in kinds},
        **{f"GOTRUE_RATE_LIMIT_{limit}": "1000000" for limit in limits},
        **settings,
    }


@contextmanager
def run_auth(
    binary: Path, database: Database, outside: Outside, folder: Path, settings: Mapping[str, str]
) -> Iterator[Auth]:
    """Runs Auth against the database; `settings` are environment variables over the usual ones."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = folder / f"auth-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [binary, "serve"],
            env=_environment(database, outside, port, settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
        )
    try:
        auth = Auth(port, log)
        _await(process, auth)
        yield auth
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], auth: Auth) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if auth.get("/health").status == 200:
                return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"Auth did not start:\n{auth.log.read_text(errors='replace')}")
