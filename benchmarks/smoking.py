"""What smoke takes, and what others take while it runs: a project that passes, one among twenty, sign-ups beside it."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.measuring import Row, kept, median_seconds
from benchmarks.subjects import LOAD, load_sql, make_triggers
from trigger_audit.sandbox.binaries import find_binaries
from trigger_audit.sandbox.server import Sandbox, open_sandbox
from trigger_audit.smoke.model import SmokeReport
from trigger_audit.smoke.session import Limits

_SECONDS = 8
_A_SECOND = 40
"""Sign-ups a second: few enough that the server is not what they wait for."""


def run_smoke(sandbox: Sandbox, *, flows: tuple[str, ...] | None = None, locks: bool = True) -> SmokeReport:
    """As the command does, inside this process."""
    from trigger_audit.database.connect import connect
    from trigger_audit.database.dsn import parse_dsn
    from trigger_audit.opening import TargetInfo
    from trigger_audit.pipeline import SmokeOptions, smoke

    with connect(parse_dsn(sandbox.conninfo())) as connection:
        info = TargetInfo("sql", "benchmark", sandbox.server_version, "supabase")
        return smoke(connection, info, SmokeOptions(flows=flows, allow_locks=locks, unmask=True)).report


def passing_project() -> Row:
    """All flows with all payloads, five triggers."""
    with open_sandbox() as sandbox:
        make_triggers(sandbox.conninfo("postgres"), 5)
        if run_smoke(sandbox).summary["fail"]:
            raise RuntimeError("the project does not pass")
        seconds = median_seconds(lambda: run_smoke(sandbox), runs=5)
    return (
        "smoke, all flows of a passing project of five triggers",
        f"{seconds:.3f} s",
        "-",
        "-",
        "<= 2 s",
        kept(seconds, 2),
    )


def culprit_search() -> Iterator[Row]:
    """One among twenty that suppresses the row: no error, and so no CONTEXT, names it."""
    suppresses = """
        create function public.quiet() returns trigger language plpgsql as $$ begin return null; end $$;
        create trigger g12b before insert on auth.users for each row execute function public.quiet();
    """
    with open_sandbox() as sandbox:
        make_triggers(sandbox.conninfo("postgres"), 19)
        execute(sandbox, suppresses)

        def search(flows: tuple[str, ...] | None) -> float:
            report = run_smoke(sandbox, flows=flows)
            named = {culprit.name for flow in report.flows for culprit in flow.culprits if flow.flow == "signup-email"}
            if named != {"auth.users.g12b"}:
                raise RuntimeError(f"{named} were named")
            return report.summary["fail"]

        one = median_seconds(lambda: search(("signup-email",)), runs=3)
        every = median_seconds(lambda: search(None), runs=3)
        failing = int(search(None))
    yield "smoke, culprit among 20 triggers, signup-email", f"{one:.2f} s", "-", "-", "<= 10 s", kept(one, 10)
    what = f"smoke, culprit among 20 triggers, all flows ({failing} fail)"
    yield what, f"{every:.2f} s", "-", "-", "<= 10 s", kept(every, 10)


@dataclass(frozen=True, slots=True)
class Load:
    """What the sign-ups took, in milliseconds each."""

    latencies: list[float]

    @property
    def mean(self) -> float:
        return statistics.mean(self.latencies)


def sign_ups_beside() -> Iterator[Row]:
    """pgbench signs users up while smoke runs over and over, with a trigger that breaks every log-in."""
    limit = Limits().lock
    with open_sandbox() as sandbox:
        make_triggers(sandbox.conninfo("postgres"), 5)
        execute(sandbox, LOAD)
        alone, _ = sign_ups(sandbox, None)
        for locks in (False, True):
            beside, runs = sign_ups(sandbox, locks)
            worst = max(beside.latencies)
            yield (
                f"{len(beside.latencies)} sign-ups beside {runs} runs of smoke{' with --allow-locks' if locks else ''}",
                f"mean {beside.mean:.1f} ms, worst {worst:.0f} ms",
                f"alone {alone.mean:.1f} ms, worst {max(alone.latencies):.0f} ms",
                f"{beside.mean / alone.mean:.2f}",
                f"none fails, none waits {limit / 1000:g} s",
                kept(worst, limit),
            )


def sign_ups(sandbox: Sandbox, locks: bool | None) -> tuple[Load, int]:
    """The load, with smoke beside it unless `locks` is None; and how often smoke ran. RuntimeError where one fails."""
    pgbench = find_binaries(None).folder / "pgbench"
    with tempfile.TemporaryDirectory() as name:
        script = Path(name, "sign_up.sql")
        script.write_text(load_sql())
        command: list[str | Path] = [
            pgbench, "--no-vacuum", "--client=4", "--jobs=2", f"--time={_SECONDS}", f"--rate={_A_SECOND}",
            "--log", f"--log-prefix={name}/log", f"--file={script}", sandbox.conninfo("supabase_auth_admin"),
        ]  # fmt: skip
        runs = 0
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            while locks is not None and process.poll() is None:
                report = run_smoke(
                    sandbox, flows=("signup-email", "login", "verify-signup", "update-user"), locks=locks
                )
                runs += 1
                named = [culprit.name for flow in report.flows if flow.flow == "login" for culprit in flow.culprits]
                if not report.rolled_back or named != ["auth.users.on_login"]:
                    raise RuntimeError(f"smoke gave no right answer: {named}")
            said, _ = process.communicate()
        if process.returncode or "number of failed transactions: 0 " not in said:
            raise RuntimeError(f"a sign-up failed:\n{said}")
        lines = [line.split() for log in Path(name).glob("log.*") for line in log.read_text().splitlines()]
    # The third is the transaction's time in microseconds, counted from when it was due.
    return Load([int(fields[2]) / 1000 for fields in lines]), runs


def execute(sandbox: Sandbox, sql: str) -> None:
    with psycopg.connect(sandbox.conninfo("postgres"), autocommit=True, prepare_threshold=None) as connection:
        connection.execute(sql.encode())
