"""Runs one statement of a project's files as postgres, with more rights where the platform gives them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigger_audit.sandbox.extensions import stand_ins
from trigger_audit.sandbox.forms import Form, Reading, first_word

if TYPE_CHECKING:
    import psycopg

    from trigger_audit.sandbox.elevation import Elevation

# Of statements that are sent together.
_MOST = 200
_MOST_CHARACTERS = 1 << 20
# What a statement misses where an extension was enabled in the dashboard, which no file of a project shows.
_DASHBOARD = (
    (re.compile(r'schema "cron" |relation "cron\.'), "pg_cron"),
    (re.compile(r'schema "pgmq" |relation "pgmq\.|type "pgmq\.'), "pgmq"),
    (re.compile(r'type "(extensions\.)?(vector|halfvec|sparsevec)(\[\])?" '), "vector"),
    (re.compile(r'type "(extensions\.)?(geometry|geography)(\[\])?" |function (extensions\.)?st_\w+\('), "postgis"),
    (re.compile(r'operator class "(extensions\.)?gi(n|st)_trgm_ops" '), "pg_trgm"),
    (re.compile(r"function (extensions\.)?http_(get|post|put|patch|delete)\("), "http"),
    (re.compile(r"function (extensions\.)?moddatetime\("), "moddatetime"),
    (
        re.compile(r'foreign-data wrapper "\w+_wrapper" |function (extensions\.)?\w+_fdw_(handler|validator)\('),
        "wrappers",
    ),
)
# Of ICU, or of the system that the platform runs on.
_COLLATION = re.compile(r'collation "(?:pg_catalog\.)?([A-Za-z0-9-]+-x-icu|unicode|en_US(?:\.utf8|\.UTF-8)?)" ')
_BY_CODE_POINT = "it orders by code point here"


@dataclass(frozen=True, slots=True)
class Step:
    """A statement with its place, its reading, the mark that it is sent with, and the data that follows COPY."""

    line: int
    column: int
    statement: str
    reading: Reading
    mark: str
    data: str | None = None

    @property
    def marked(self) -> str:
        """The text to send."""
        return self.mark + self.reading.sent

    @property
    def query(self) -> bytes:
        return self.marked.encode()


def grouped(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """The statements in their order, INSERTs that follow each other in groups, which are sent in one go.

    A dump has an INSERT for each row, and most of what one takes is the way to the server and back.
    """
    group: list[Step] = []
    size = 0
    for step in steps:
        alone = step.data is not None or first_word(step.statement) != "insert"
        if group and (alone or len(group) == _MOST or size > _MOST_CHARACTERS):
            yield group
            group, size = [], 0
        if alone:
            yield [step]
        else:
            group.append(step)
            size += len(step.statement)
    if group:
        yield group


class Executor:
    """Runs the statements of one loading, in whatever transaction its connection is in.

    `note` takes the line of a statement and a remark on it.
    """

    def __init__(self, connection: psycopg.Connection, elevation: Elevation) -> None:
        self._connection = connection
        self._elevation = elevation
        self._supplied: set[str] = set()

    def run(self, group: Sequence[Step], note: Callable[[int, str], None]) -> None:
        """Runs one statement, or several of `grouped`; psycopg.Error where the server refuses one."""
        if len(group) > 1:
            self._run_together(group)
            return
        (step,) = group
        match step.reading.form:
            case Form.EXTENSION:
                self._run_extension(step, note)
            case Form.ELEVATED:
                self._run_elevated(step)
            case Form.WRAPPER:
                self._make_wrapper(step, note)
            case Form.COLLATION:
                self._make_collation(step, note)
            case _ if step.data is not None:
                with self._connection.cursor().copy(step.query) as copy:
                    copy.write(step.data)
            case _:
                self._connection.execute(step.query)

    def _run_together(self, group: Sequence[Step]) -> None:
        """Sends them in one go, each as a text of its own: current_query() in a trigger of one is that one's, with its
        mark, and of several in one text it would be all of them."""
        import psycopg

        refused = None
        try:
            with self._connection.pipeline(), self._connection.cursor() as cursor:
                try:
                    for step in group:
                        cursor.execute(step.query)
                except psycopg.Error as error:
                    # Out of the block it would have psycopg log what the rest of the pipeline says.
                    refused = error
        except psycopg.Error as error:
            refused = refused or error
        if refused is not None:
            raise refused

    def supply(self, error: psycopg.Error, line: int, note: Callable[[int, str], None]) -> bool:
        """Whether what the statement in this line missed is there now, so that it is worth another try.

        Each thing once; the transaction that the statement was in may be under way, but must not be aborted.
        """
        message = f"{error.diag.message_primary or ''} "
        if error.sqlstate == "42704" and (found := _COLLATION.search(message)):
            if self._once(found[1]) and self._elevation.make_collation(found[1]):
                note(line, f"the server has no collation {found[1]}: {_BY_CODE_POINT}")
                return True
        elif error.sqlstate in ("3F000", "42P01", "42501", "42704", "42883"):
            name = next((name for missed, name in _DASHBOARD if missed.search(message)), None)
            if name is not None and self._once(name) and self._elevation.make_extension(name):
                note(line, f"needs the extension {name}, which was not created: taken as enabled in the dashboard")
                return True
        return False

    def _once(self, name: str) -> bool:
        new = name not in self._supplied
        self._supplied.add(name)
        return new

    def _run_extension(self, step: Step, note: Callable[[int, str], None]) -> None:
        import psycopg

        name = step.reading.extension
        try:
            # First as postgres, who then owns it as after a block that does the same.
            self._run_elevated(step)
        except psycopg.errors.DuplicateObject as error:
            # Not one of the extension's objects that the project has made itself.
            if name is None or not (error.diag.message_primary or "").startswith("extension "):
                raise
            note(step.line, f"the extension {name} is installed already")
        except psycopg.errors.FeatureNotSupported:
            if name is None or name not in stand_ins():
                raise
            note(step.line, f"the server has no extension {name}; its stand-in's objects are there already")

    def _run_elevated(self, step: Step) -> None:
        import psycopg

        try:
            with self._connection.transaction():
                self._connection.execute(step.query)
        except psycopg.errors.InsufficientPrivilege:
            self._elevation.run(self._connection, step.marked)

    def _make_wrapper(self, step: Step, note: Callable[[int, str], None]) -> None:
        import psycopg

        name = step.reading.name
        try:
            with self._connection.transaction():
                self._elevation.make_wrapper(self._connection, name)
        except psycopg.errors.DuplicateObject:
            note(step.line, f"the foreign-data wrapper {name} is there already")

    def _make_collation(self, step: Step, note: Callable[[int, str], None]) -> None:
        import psycopg

        try:
            with self._connection.transaction():
                self._connection.execute(step.query)
        except (psycopg.errors.FeatureNotSupported, psycopg.errors.InvalidParameterValue) as error:
            # The C library's locale that the platform has; others are missing there too.
            foreign = error.sqlstate == "22023" and "en_us" not in step.statement.lower()
            if foreign or "(" not in step.reading.sent:
                raise
            head = step.reading.sent[: step.reading.sent.index("(")]
            self._connection.execute(f'{step.mark}{head} FROM pg_catalog."C"'.encode())
            note(step.line, f"the server cannot make this collation: {_BY_CODE_POINT}")
