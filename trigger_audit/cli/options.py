"""Options that several commands share, and what is read from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trigger_audit.errors import TriggerAuditError, UsageError
from trigger_audit.report.formats import Format as Format

if TYPE_CHECKING:
    from trigger_audit.sandbox.docker import DockerImage


class FailOn(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    NEVER = "never"


class SmokeFailOn(StrEnum):
    FAIL = "fail"
    ALTERED = "altered"
    NEVER = "never"


Targets = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TARGET",
        show_default=False,
        help="A database URL or libpq conninfo; or .sql files, a folder of migrations, a project folder, - for stdin. "
        "Without one: DATABASE_URL, SUPABASE_DB_URL, POSTGRES_URL_NON_POOLING, DIRECT_URL, or the project around you.",
    ),
]
FormatOption = Annotated[Format, typer.Option("--format", help="What to print on standard output.")]
OutputOption = Annotated[
    list[str] | None,
    typer.Option("--output", "-o", metavar="[FORMAT=]FILE", help="Also write a report to a file; repeatable."),
]
ExitZero = Annotated[bool, typer.Option("--exit-zero", help="Exit 0 in spite of findings; 2 stays 2.")]
Strict = Annotated[bool, typer.Option("--strict", help="What could not be analysed or run counts as a finding.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more on standard error.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say less on standard error.")]
Postgres = Annotated[
    Path | None,
    typer.Option("--postgres", metavar="BIN_DIR", help="Folder of another server's binaries for the sandbox."),
]
Docker = Annotated[
    str | None,
    typer.Option(
        "--docker",
        metavar="IMAGE",
        help="Run the sandbox in a container of this image, or of this version of supabase/postgres.",
    ),
]
Tables = Annotated[
    list[str] | None, typer.Option("--table", metavar="SCHEMA.TABLE", help="Audit this table; repeatable.")
]

SelectOption = Annotated[
    list[str] | None, typer.Option("--select", metavar="CODE", help="Only these rules: codes or prefixes.")
]
IgnoreOption = Annotated[
    list[str] | None, typer.Option("--ignore", metavar="CODE", help="Not these rules: codes or prefixes.")
]
SideEffects = Annotated[
    bool, typer.Option("--allow-side-effects", help="Run although a function does what ROLLBACK does not undo.")
]


@dataclass(frozen=True, slots=True)
class Output:
    """One report file with its format."""

    format: Format
    path: Path


def parse_outputs(values: list[str] | None, default: Format) -> tuple[Output, ...]:
    """`json=report.json` or `report.json` (then in the format of standard output). Checked before the work starts."""
    outputs = []
    for value in values or ():
        name, separator, rest = value.partition("=")
        known = {member.value for member in Format}
        if separator and name in known:
            output = Output(Format(name), Path(rest))
        elif separator and name.isalpha() and "/" not in name and not Path(value).exists():
            raise UsageError(f"--output: there is no format {name!r}", f"formats: {', '.join(sorted(known))}")
        else:
            output = Output(default, Path(value))
        if str(output.path) == "-":
            raise UsageError(
                f"--output: {value!r} names no file, and standard output has its own option",
                f"--format {output.format.value} says what goes to standard output; a file of that name is ./-",
            )
        if not str(output.path) or str(output.path) == "." or output.path.is_dir():
            raise UsageError(f"--output: {value!r} names no file")
        if not output.path.resolve().parent.is_dir():
            raise UsageError(f"--output: the folder of {str(output.path)!r} does not exist")
        outputs.append(output)
    return tuple(outputs)


def write_outputs(outputs: tuple[Output, ...], render: Callable[[Format], str]) -> None:
    """Write each report. Raises TriggerAuditError where a file cannot be written."""
    for output in outputs:
        try:
            output.path.write_text(render(output.format), encoding="utf-8")
        except OSError as error:
            raise TriggerAuditError(f"cannot write {str(output.path)!r}: {error.strerror}") from None


def sandbox_server(postgres: Path | None, docker: str | None) -> Path | DockerImage | None:
    """The sandbox' server by `--postgres` or `--docker`, None for the embedded one. Raises UsageError."""
    if docker is None:
        return postgres
    from trigger_audit.sandbox.docker import parse_image

    if postgres is not None:
        raise UsageError("--postgres and --docker contradict each other", "each names the sandbox's server")
    return parse_image(docker)


def codes(values: list[str] | None) -> tuple[str, ...]:
    """`--select TA1,TA503 --select TA4` as one tuple."""
    return tuple(code.strip() for value in values or () for code in value.split(","))


def verbosity(verbose: bool, quiet: bool) -> int:
    if verbose and quiet:
        raise UsageError("--verbose and --quiet contradict each other")
    return 1 if verbose else -1 if quiet else 0
