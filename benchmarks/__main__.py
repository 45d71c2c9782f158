"""The budgets, measured. Each row: what, measured, the peer in the same run, ratio, budget, kept or not."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from tabulate import tabulate

from benchmarks.measuring import Row, command_seconds, kept, median_seconds, once
from benchmarks.smoking import culprit_search, passing_project, sign_ups_beside
from benchmarks.subjects import check_with_plpgsql_check, is_checked, make_triggers
from trigger_audit.sandbox.server import Sandbox, open_sandbox

COMMAND = str(Path(sys.executable).with_name("trigger-audit"))


def row(what: str, measured: float, peer: str, peer_seconds: float, budget: float) -> Row:
    ratio = measured / peer_seconds
    compared = f"{peer} {peer_seconds:.3f} s", f"{ratio:.2f}", f"<= {budget:g}", kept(ratio, budget)
    return what, f"{measured:.3f} s", *compared


def start_up() -> Iterator[Row]:
    """Start-up against the bare interpreter."""
    bare = command_seconds([sys.executable, "-c", "pass"], runs=15)
    yield row("--version", command_seconds([COMMAND, "--version"], runs=15), "python -c pass", bare, 3)
    yield row("--help", command_seconds([COMMAND, "--help"], runs=9), "python -c pass", bare, 15)


def warm_sandbox() -> Row:
    """From nothing to the first accepted statement, the data directory being cached."""

    def first_statement() -> None:
        with open_sandbox() as sandbox, psycopg.connect(sandbox.conninfo()) as connection:
            connection.execute("select 1")

    seconds = median_seconds(first_statement, runs=5)
    return "sandbox, warm (start, statement, stop)", f"{seconds:.3f} s", "-", "-", "<= 1 s", kept(seconds, 1)


def forty_migrations() -> Row:
    """The whole process of a check, from the files to the verdict."""
    shop = Path(__file__).parent.parent / "tests" / "check" / "shop"
    seconds = command_seconds([COMMAND, "check", str(shop), "--quiet"], runs=5)
    return "check, forty migrations, whole process", f"{seconds:.2f} s", "-", "-", "<= 3 s", kept(seconds, 3)


def peer_binaries() -> Path | None:
    """PostgreSQL 15 with plpgsql_check, where Debian's packages brought them."""
    folder = Path("/usr/lib/postgresql/15/bin")
    control = Path("/usr/share/postgresql/15/extension/plpgsql_check.control")
    return folder if folder.exists() and control.exists() else None


def add_peer(sandbox: Sandbox) -> None:
    with psycopg.connect(sandbox.conninfo(), autocommit=True) as connection:
        connection.execute("create extension if not exists plpgsql_check with schema extensions")


def scans(count: int, binaries: Path | None) -> tuple[float, float, float | None]:
    """(seconds, MiB, plpgsql_check's seconds or None) of scanning this many triggers, each process whole."""
    with open_sandbox(binaries) as sandbox:
        make_triggers(sandbox.conninfo("postgres"), count)
        command = [COMMAND, "scan", sandbox.conninfo(), "--format", "json", "--quiet"]
        measured, memory = min((once(command) for _ in range(3 if count <= 1000 else 1)), key=lambda pair: pair[0])
        if binaries is None:
            return measured, memory, None
        add_peer(sandbox)
        peer = min(peer_seconds(sandbox.conninfo()) for _ in range(3))
        if not is_checked(sandbox.conninfo(), count - 1):
            raise RuntimeError("plpgsql_check did not look at every function")
        return measured, memory, peer


def peer_seconds(conninfo: str) -> float:
    """plpgsql_check over all functions, its connection included: what our own process does as well."""
    started = time.perf_counter()
    check_with_plpgsql_check(conninfo)
    return time.perf_counter() - started


def one_trigger(binaries: Path | None) -> Row:
    """The whole process on one trigger, against psql doing what `supabase db lint` asks of the server."""
    with open_sandbox(binaries) as sandbox:
        make_triggers(sandbox.conninfo("postgres"), 1)
        measured = command_seconds([COMMAND, "scan", sandbox.conninfo(), "--quiet"])
        psql = shutil.which("psql")
        if binaries is None or psql is None:
            return "scan, one trigger", f"{measured:.3f} s", "plpgsql_check not installed", "-", "-", "not compared"
        lint = (
            "begin; create extension if not exists plpgsql_check with schema extensions; "
            "select extensions.plpgsql_check_function(p.oid, t.tgrelid, format => 'json') "
            "from pg_catalog.pg_trigger as t join pg_catalog.pg_proc as p on p.oid = t.tgfoid "
            "where not t.tgisinternal; rollback"
        )
        peer = command_seconds([psql, "--quiet", sandbox.conninfo(), "--command", lint])
    ratio = f"{measured / peer:.2f}"
    budget = "supabase db lint", "not measured"
    return "scan, one trigger", f"{measured:.3f} s", f"psql + plpgsql_check {peer:.3f} s", ratio, *budget


def many_triggers(binaries: Path | None) -> Iterator[Row]:
    """1,000 against plpgsql_check over the same functions; 10,000 against the 1,000."""
    thousand, _, peer = scans(1000, binaries)
    if peer is None:
        yield "scan, 1,000 triggers", f"{thousand:.2f} s", "plpgsql_check not installed", "-", "<= 5", "not compared"
    else:
        yield row("scan, 1,000 triggers", thousand, "plpgsql_check", peer, 5)
        ten, _, _ = scans(10, binaries)
        each, peer_each = (thousand - ten) / 990 * 1000, peer / 1000 * 1000  # milliseconds
        compared = f"{each / peer_each:.2f}", "-", "for comparison"
        yield "each further trigger", f"{each:.2f} ms", f"plpgsql_check {peer_each:.2f} ms", *compared
    if "--quick" in sys.argv:
        return
    ten_thousand, memory, _ = scans(10_000, None)
    base, _, _ = scans(1000, None)
    yield row("scan, 10,000 triggers", ten_thousand, "1,000 triggers", base, 11)
    yield "memory, 10,000 triggers", f"{memory:.0f} MiB", "-", "-", "<= 500 MiB", kept(memory, 500)


def main() -> None:
    binaries = peer_binaries()
    smoking = [passing_project(), *culprit_search(), *sign_ups_beside()]
    rows = [*start_up(), warm_sandbox(), forty_migrations(), *smoking, one_trigger(binaries), *many_triggers(binaries)]
    print(tabulate(rows, headers=("what", "measured", "peer in the same run", "ratio", "budget", "")))


if __name__ == "__main__":
    main()
