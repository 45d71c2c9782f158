"""A finding: one rule's statement about one place, with its proof."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from trigger_audit.findings.seen import Seen


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """2 for error, 1 for warning, 0 for info: to compare with a threshold."""
        return {"error": 2, "warning": 1, "info": 0}[self.value]

    def lowered(self) -> Severity:
        """One severity lower; info stays."""
        return Severity.WARNING if self is Severity.ERROR else Severity.INFO


class Proof(StrEnum):
    """How we know: PostgreSQL refused it, the catalog says so, dataflow, a pattern, or a smoke run saw it."""

    SERVER = "server"
    CATALOG = "catalog"
    DATAFLOW = "dataflow"
    PATTERN = "pattern"
    OBSERVED = "observed"


class BaselineState(StrEnum):
    """Whether a finding is in the baseline that the run was given, in SARIF's words."""

    NEW = "new"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Path:
    """One way to the fault: the table and trigger where the cascade starts, and every step down to the place.

    `via` holds triggers as schema.table.trigger and called functions as schema.function(arguments), outermost first.
    `flows` are Auth's flows that go this way, sorted; empty for tables that Auth does not write. `trigger` is None
    where the server itself starts it (a foreign key that a deletion meets).
    """

    table: str
    trigger: str | None
    events: tuple[str, ...]
    via: tuple[str, ...]
    flows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a function's body: lines and columns from 1, columns in characters, the end exclusive.

    `statement` is the source text from the start to the end of the statement at fault, as written.
    `source_line` is the text of `line`, for the reader.
    """

    function: str
    line: int
    column: int
    end_line: int
    end_column: int
    statement: str
    source_line: str


@dataclass(frozen=True, slots=True)
class FilePlace:
    """Where in a migration: lines and columns from 1, in characters, the end exclusive. `file` as the user named it."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Finding:
    """`object` is what is at fault: function signature, schema.table.trigger, schema.table.constraint or schema.table.

    `message` is one sentence of fact; `why` the reason and what the app user sees; `fix` what to do.
    `seen` are the texts that the app user reads, of every path, until folding has ended `why` with them.
    `hidden_by` is the line of the handler in the same or a calling function that catches the failure.
    `cause` names the thing that is wrong (a relation, a column, a role and privilege) for folding and the fingerprint:
    it never holds a line. `observed_in` names the flows in which smoke saw it happen, with their payloads:
    `signup-email (bare, full)`. `file_place` is where the migrations say what is at fault, None without files.
    `suppressed` is the reason why it is not to count, given by a comment in the function, or by the project's settings
    (then it is `excepted`). `baseline` is None where no baseline was given.
    """

    rule: str
    name: str
    severity: Severity
    object: str
    paths: tuple[Path, ...]
    place: Place | None
    message: str
    why: str
    fix: str
    proof: Proof
    sqlstate: str | None
    hidden_by: int | None
    cause: str
    fingerprint: str = ""
    suppressed: str | None = None
    seen: tuple[Seen, ...] = ()
    observed_in: tuple[str, ...] = ()
    file_place: FilePlace | None = None
    baseline: BaselineState | None = None
    excepted: bool = False

    @property
    def counts(self) -> bool:
        """Whether it may fail a run: it is neither suppressed nor in the baseline."""
        return self.suppressed is None and self.baseline is not BaselineState.UNCHANGED


@dataclass(frozen=True, slots=True, order=True)
class NotAnalysed:
    """What could not be looked at: never silently clean. `file_place` is where the migrations say it."""

    object: str
    line: int | None
    reason: str
    file_place: FilePlace | None = field(default=None, compare=False)
