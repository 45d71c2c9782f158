"""Which database or which files a command looks at, and why."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trigger_audit.database.dsn import Dsn, looks_like_dsn, parse_dsn
from trigger_audit.database.redact import redact
from trigger_audit.errors import UsageError
from trigger_audit.sandbox.config import is_supabase_folder, supabase_folder
from trigger_audit.sandbox.project import has_sql_suffix

# The first that is set is taken. The last two are what Vercel's integration and Prisma call the unpooled URL.
VARIABLES = ("DATABASE_URL", "SUPABASE_DB_URL", "POSTGRES_URL_NON_POOLING", "DIRECT_URL")

_FILES_TO_GIVE = "give .sql files, a folder of migrations or a project folder"
_WHAT_TO_GIVE = "give a database URL, .sql files, a folder of migrations or a project folder, or set DATABASE_URL"
# user:password@host, without the scheme.
_BARE_URL = re.compile(r"[^\s:/@]+:\S+@[^\s@]+")
_ANY_SQL = "*.[sS][qQ][lL]"


@dataclass(frozen=True, slots=True)
class DatabaseTarget:
    """A database. `source` says in one phrase why it was taken; `notes` are for the user to read."""

    dsn: Dsn
    source: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SqlTarget:
    """SQL files, folders of migrations, project folders, and `-` for standard input."""

    paths: tuple[Path | Literal["-"], ...]
    source: str
    notes: tuple[str, ...] = ()


Target = DatabaseTarget | SqlTarget


def choose_files(arguments: Sequence[str], folder: Path) -> SqlTarget:
    """The same for who judges files alone: whatever the environment holds. Raises UsageError."""
    try:
        target = choose_target(arguments, {}, folder)
    except UsageError as error:
        remedy = _FILES_TO_GIVE if error.remedy == _WHAT_TO_GIVE else error.remedy
        raise UsageError(error.message.replace("no database URL, ", ""), remedy) from None
    if isinstance(target, DatabaseTarget):
        raise UsageError("check judges migrations, and this is a database", "scan and smoke look at databases")
    return target


def choose_target(arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> Target:
    """The arguments if there are any, else the environment's URL, else the project found upward from `folder`.

    An empty argument is refused, for it is a variable that is not set where it should be; a variable that is empty is
    skipped with a note. Raises UsageError, never with a password in it.
    """
    if arguments:
        return _from_arguments(arguments, folder)
    notes: list[str] = []
    for name in VARIABLES:
        value = environment.get(name)
        if value is None:
            continue
        if not value.strip():
            notes.append(f"{name} is set but empty, and was skipped")
            continue
        dsn = _parsed(value, name)
        return DatabaseTarget(dsn, name, (*notes, *dsn.notes))
    project = find_project(folder)
    if project is None:
        empty = "".join(f"; {note}" for note in notes)
        raise UsageError(f"nothing to look at: no argument, no database URL, no Supabase project here{empty}",
                         _WHAT_TO_GIVE)  # fmt: skip
    _check_folder(project, project)
    # Seen from here, so that reports name files in the same way on every machine.
    return SqlTarget((Path(os.path.relpath(project, folder)),), f"the project found at {project}", tuple(notes))


def announcement(target: Target) -> str:
    """The first line on stderr: what was taken and why, without a password."""
    if isinstance(target, DatabaseTarget):
        what = target.dsn.login
    else:
        what = ", ".join("standard input" if path == "-" else str(path) for path in target.paths)
    return f"target: {what} (from {target.source})"


def find_project(folder: Path) -> Path | None:
    """The nearest folder upward that holds supabase/config.toml or supabase/migrations."""
    place = folder.absolute()
    return next((parent for parent in (place, *place.parents) if is_supabase_folder(parent / "supabase")), None)


def _from_arguments(arguments: Sequence[str], folder: Path) -> Target:
    if any(not argument.strip() for argument in arguments):
        raise UsageError(
            "an argument is empty",
            "is the variable that it comes from set? Without any argument the environment and the project are tried",
        )
    databases = [argument for argument in arguments if looks_like_dsn(argument)]
    if len(databases) > 1:
        if all(re.fullmatch(r"\s*\w+\s*=.*", argument, re.DOTALL) for argument in databases):
            raise UsageError("a libpq connection string is one argument", "quote it: 'host=... dbname=...'")
        raise UsageError("more than one database was given", "give one URL")
    if databases and len(arguments) > 1:
        raise UsageError(
            "a database and other arguments were given together",
            "give one database URL, or only paths; a connection string is one quoted argument",
        )
    if databases:
        dsn = _parsed(databases[0], None)
        return DatabaseTarget(dsn, "the argument", dsn.notes)
    if arguments.count("-") > 1:
        raise UsageError("standard input (-) can be read only once")
    paths = tuple(_path(argument, folder) for argument in arguments)
    return SqlTarget(paths, "the argument" if len(paths) == 1 else "the arguments")


def _parsed(text: str, variable: str | None) -> Dsn:
    try:
        return parse_dsn(text)
    except UsageError as error:
        problem = UsageError(f"{variable}: {error.message}" if variable else error.message, error.remedy)
    raise problem


def _path(argument: str, folder: Path) -> Path | Literal["-"]:
    if argument == "-":
        return "-"
    path = Path(argument)
    place = folder / path
    try:
        is_folder, exists = place.is_dir(), place.exists()
    except (OSError, ValueError):
        # Longer than a file name may be, a NUL in it, or in a folder that is closed to us.
        is_folder = exists = False
    if is_folder:
        _check_folder(place, path)
    elif not exists:
        raise _neither(argument)
    elif not has_sql_suffix(place) and place.is_file():
        raise UsageError(
            f"{path} is no .sql file", "give .sql files, a folder that holds them, or - for standard input"
        )
    return path


def _neither(argument: str) -> UsageError:
    # Not quoted where a password could be in it.
    if _BARE_URL.search(argument):
        return UsageError(
            "an argument looks like a database URL without its scheme",
            "write postgresql:// in front of user:password@host",
        )
    if re.match(r"\s*\w+\s*=", argument):
        return UsageError(
            "an argument looks like a libpq connection string, but does not begin with a key that libpq knows",
            "write host=... port=... dbname=... user=... password=...",
        )
    shown = redact(argument if len(argument) <= 200 else f"{argument[:200]}...")
    return UsageError(f"there is no file or folder {shown}", _WHAT_TO_GIVE)


def _check_folder(place: Path, shown: Path) -> None:
    """Refuses a folder that holds nothing to apply: an audit of it would be clean, and mean nothing."""
    root = supabase_folder(place)
    try:
        if root is not None:
            if next(root.rglob(_ANY_SQL), None) is None:
                raise UsageError(
                    f"the project {shown} holds no .sql file below its supabase folder",
                    "pull the migrations first (supabase db pull), or give a database URL",
                )
        elif not any(has_sql_suffix(each) and each.is_file() for each in place.iterdir()):
            deeper = next(place.rglob(_ANY_SQL), None)
            remedy = f"its subfolder {deeper.parent.relative_to(place)} does: name it" if deeper else _WHAT_TO_GIVE
            raise UsageError(f"the folder {shown} holds no .sql file", remedy)
    except OSError as error:
        raise UsageError(f"the folder {shown} cannot be read: {error.strerror or 'unknown reason'}") from None
