"""`--statement` and `--as-role`: the user's own statements instead of Auth's flows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trigger_audit.errors import UsageError

if TYPE_CHECKING:
    from trigger_audit.smoke.script import Script

PROJECT_ROLE = "postgres"
"""Who runs them in a sandbox unless told otherwise: the login of a hosted project, as which files are applied too."""

StatementOption = Annotated[
    str | None,
    typer.Option(
        "--statement",
        metavar="FILE",
        help="Run the INSERT, UPDATE, DELETE and MERGE of this file (- for stdin) instead of Auth's flows.",
    ),
]
AsRoleOption = Annotated[
    str | None,
    typer.Option("--as-role", metavar="ROLE", help="With --statement: run it as this role, such as authenticated."),
]


def read_statements(
    file: str | None, as_role: str | None, targets: list[str] | None, others: dict[str, object]
) -> Script | None:
    """The statements of the file, None without `--statement`.

    UsageError for what cannot be run, for the options of Auth's flows (`others`, by name) and for stdin taken twice.
    """
    if file is None:
        if as_role is not None:
            raise UsageError("--as-role goes with --statement", "Auth's own flows are run as Auth's own role")
        return None
    from trigger_audit.sandbox.project import read_sql_file, read_standard_input
    from trigger_audit.smoke.script import read_script

    given = [name for name, value in others.items() if value]
    if given:
        raise UsageError(f"--statement and {given[0]} contradict each other", f"{given[0]} is of Auth's flows")
    if not file.strip():
        raise UsageError("--statement is empty", "is the variable that it comes from set?")
    if as_role is not None and not as_role:
        raise UsageError("--as-role is empty", "is the variable that it comes from set?")
    if file == "-":
        if "-" in (targets or ()):
            raise UsageError("standard input (-) can be read only once", "give the statement or the target as a file")
        read = read_standard_input()
        return read_script("standard input", read.text)
    try:
        is_folder = Path(file).is_dir()
    except ValueError:
        raise UsageError("--statement names no file") from None
    except OSError as error:  # in a folder that is closed to us, or longer than a name may be
        shown = file if len(file) <= 200 else f"{file[:200]}..."
        raise UsageError(f"--statement {shown}: {error.strerror or error}") from None
    if is_folder:
        raise UsageError(f"--statement {file}: a folder is no file of statements")
    read = read_sql_file(Path(file))
    return read_script(read.path, read.text)
