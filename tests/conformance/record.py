"""Reads from the server's log what Auth has sent, in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from trigger_audit.auth.roles import ROLE
from trigger_audit.auth.steps import Kind

if TYPE_CHECKING:
    from pathlib import Path

    from trigger_audit.sandbox.server import Sandbox

MAIL = "mail"
_PREFIX = re.compile(r"^<(?P<pid>\d+)\|(?P<application>[^|]*)>(?P<level>[A-Z]+):  (?P<text>.*)$")
_STATEMENT = re.compile(r"^(?:statement|execute [^:]*): (?P<sql>.*)$", re.DOTALL)
_PARAMETER = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')")
_INSERT = re.compile(
    r'insert into "?(?:auth\.)?(?P<table>\w+)"? ?\((?P<columns>[^)]*)\) *values *\((?P<values>.*?)\)', re.I | re.S
)
_UPDATE = re.compile(
    r'update (?:only )?"?(?:auth\.)?(?P<table>\w+)"? (?:as \w+ )?set (?P<set>.*) where (?P<where>.*)', re.I | re.S
)
_DELETE = re.compile(r'delete from "?(?:auth\.)?(?P<table>\w+)"? (?:as \w+ )?(?:where|using)', re.I)
_RELOAD = re.compile(r"select .* from users as users where users\.id = \$1 limit 1", re.I | re.S)
_PROVIDERS = re.compile(r"select provider from identities", re.I)


@dataclass(frozen=True, slots=True)
class Sent:
    """One statement of Auth: `values` by column, as text (None for NULL), where the statement writes."""

    kind: Kind
    table: str
    sql: str
    values: dict[str, str | None] = field(default_factory=dict)

    def __str__(self) -> str:
        columns = f" {', '.join(sorted(self.values))}" if self.values else ""
        return f"{self.kind.value} {self.table}{columns}"


Event = Sent | str
"""A statement, or BEGIN, COMMIT, ROLLBACK, MAIL."""


def start_recording(sandbox: Sandbox) -> None:
    """Makes the server log every statement of Auth's role, with the process and the application."""
    with psycopg.connect(sandbox.conninfo(), autocommit=True, prepare_threshold=None) as connection:
        connection.execute("ALTER SYSTEM SET log_line_prefix = '<%p|%a>'")
        connection.execute(f"ALTER ROLE {ROLE} SET log_statement = 'all'".encode())
        connection.execute("SELECT pg_reload_conf()")


class Mark:
    """Notes in the same log that a mail is being taken."""

    def __init__(self, sandbox: Sandbox) -> None:
        conninfo = psycopg.conninfo.make_conninfo(sandbox.conninfo(ROLE), application_name=MAIL)
        self.connection = psycopg.connect(conninfo, autocommit=True, prepare_threshold=None)

    def __call__(self) -> None:
        self.connection.execute("SELECT")


@dataclass(slots=True)
class Recording:
    log: Path
    start: int
    end: int | None = None

    def events(self) -> list[Event]:
        """What Auth has written since the start, with the transactions that wrote and the mails, in order.

        A failed statement is there too: the server logs it before it runs it.
        """
        with self.log.open("rb") as file:
            file.seek(self.start)
            raw = file.read() if self.end is None else file.read(self.end - self.start)
        return list(_in_writing_transactions(_entries(raw.decode())))


@contextmanager
def recording(sandbox: Sandbox) -> Iterator[Recording]:
    current = Recording(sandbox.log, sandbox.log.stat().st_size)
    yield current
    current.end = sandbox.log.stat().st_size


def _entries(text: str) -> Iterator[tuple[str, Event]]:
    """(process, event); what follows a line with a tab belongs to it, and DETAIL holds the parameters."""
    lines: list[tuple[str, str, str, str]] = []
    for line in text.splitlines():
        if found := _PREFIX.match(line):
            lines.append((found["pid"], found["application"], found["level"], found["text"]))
        elif lines and line.startswith("\t"):
            pid, application, level, before = lines[-1]
            lines[-1] = (pid, application, level, f"{before}\n{line[1:]}")
    for index, (pid, application, level, said) in enumerate(lines):
        found = _STATEMENT.match(said) if level == "LOG" else None
        if found is None:
            continue
        if application == MAIL:
            yield pid, "MAIL"
            continue
        following = lines[index + 1] if index + 1 < len(lines) else ("", "", "", "")
        detail = following[3] if following[2] == "DETAIL" else ""
        parameters = {f"${number}": _literal(value) for number, value in _PARAMETER.findall(detail)}
        event = _event(found["sql"].strip(), parameters)
        if event is not None:
            yield pid, event


def _literal(value: str) -> str | None:
    return None if value == "NULL" else value[1:-1].replace("''", "'")


def _event(sql: str, parameters: dict[str, str | None]) -> Event | None:
    word = sql.upper().rstrip(";")
    if word in ("BEGIN", "COMMIT", "ROLLBACK"):
        return word
    if found := _INSERT.match(sql):
        columns = [column.strip(' "') for column in found["columns"].split(",")]
        values = [value.strip() for value in found["values"].split(",")]
        return Sent(Kind.INSERT, found["table"], sql, _values(dict(zip(columns, values, strict=True)), parameters))
    if found := _UPDATE.match(sql):
        pairs = [assignment.partition("=")[::2] for assignment in found["set"].split(",")]
        assigned = {column.strip(' "'): value.strip() for column, value in pairs}
        return Sent(Kind.UPDATE, found["table"], sql, _values(assigned, parameters))
    if found := _DELETE.match(sql):
        return Sent(Kind.DELETE, found["table"], sql)
    if _PROVIDERS.match(sql):
        return Sent(Kind.PROVIDERS, "identities", sql)
    if _RELOAD.match(sql):
        return Sent(Kind.RELOAD, "users", sql)
    assert word.startswith(("SELECT", "SHOW", "DEALLOCATE", "WITH")), sql
    return None


def _values(written: dict[str, str], parameters: dict[str, str | None]) -> dict[str, str | None]:
    return {column: parameters.get(value, value) for column, value in written.items()}


def _in_writing_transactions(entries: Iterator[tuple[str, Event]]) -> Iterator[Event]:
    """Leaves out BEGIN, and the ends of transactions that wrote nothing.

    AssertionError for a write outside of a transaction, of which there would be no COMMIT to see; flow_state alone is
    written so.
    """
    wrote: dict[str, bool] = {}
    for pid, event in entries:
        if isinstance(event, Sent):
            if event.kind in (Kind.INSERT, Kind.UPDATE, Kind.DELETE):
                assert pid in wrote or event.table == "flow_state", f"committed by itself: {event.sql}"
                wrote.update({pid: True} if pid in wrote else {})
            yield event
        elif event == "MAIL":
            yield event
        elif event == "BEGIN":
            wrote[pid] = False
        elif wrote.pop(pid, False):
            yield event
