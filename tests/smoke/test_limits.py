"""Our own time-outs give no verdict: not on a flow, not on a trigger that is off, not on a handler that is open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg

from tests.smoke.conftest import Database, connect
from tests.smoke.proving import apply_as_postgres, on_users
from trigger_audit.analysis.bodies import read_body
from trigger_audit.analysis.hazards import effects
from trigger_audit.auth import firings
from trigger_audit.catalog.stored import load_stored
from trigger_audit.pipeline import examine, sign_ups_of
from trigger_audit.smoke.model import Outcome, Payload, SmokeReport
from trigger_audit.smoke.runner import run_smoke
from trigger_audit.smoke.session import Limits
from trigger_audit.smoke.suspects import Suspects
from trigger_audit.smoke.trials import Evidence
from trigger_audit.smoke.unmask import masks

LIMITS = Limits(statement=1500, lock=300)
COUNTER = "CREATE TABLE public.counter (n int);\nINSERT INTO public.counter VALUES (0);\n"
COUNTS = "  UPDATE public.counter SET n = n + 1;\n  RETURN NEW;"


@contextmanager
def held_after(database: Database, sql: str, statement: str = "UPDATE public.counter SET n = 0") -> Iterator[None]:
    """With the SQL applied, another session has executed the statement, and so has a lock that the run wants."""
    apply_as_postgres(database, sql)
    with psycopg.connect(database.conninfo("postgres")) as other:
        other.execute(statement.encode())
        yield
        other.rollback()


def prove(
    database: Database,
    *,
    unmask: bool = False,
    allow_locks: bool = False,
    flows: Sequence[str] = ("signup-email",),
    limits: Limits = LIMITS,
) -> SmokeReport:
    with connect(database) as connection:
        audit = examine(connection, tables=(), all_tables=False, as_role=None, names=False)
        behind = load_stored(connection, audit.catalog)
        ways = effects(audit.cascade, audit.catalog, behind, read_body, firings()).ways
        report = run_smoke(
            connection,
            flows=flows,
            hazards=(),
            allow_side_effects=False,
            target={},
            limits=limits,
            sign_ups=sign_ups_of(audit, payloads=[Payload.BARE]),
            evidence=Evidence(
                Suspects(audit.catalog, audit.cascade, ways),
                masks(audit.bodies.values()),
                allow_locks=allow_locks,
                unmask=unmask,
            ),
        )
    assert report.rolled_back
    return report


def test_a_row_that_another_session_has(fresh_database: Database) -> None:
    with held_after(fresh_database, COUNTER + on_users("counts", COUNTS)):
        report = prove(fresh_database)
    (result,) = report.flows
    assert result.outcome is Outcome.SKIPPED
    assert result.failed_step is None
    assert result.culprits == ()
    assert result.reason is not None
    assert result.reason.startswith("a lock was not to be had within our lock_timeout (55P03 at INSERT auth.users")


FAILS_FIRST = on_users("a_fails", "  RAISE EXCEPTION 'no';")


def test_a_replay_with_the_culprit_off_that_meets_one(fresh_database: Database) -> None:
    """Whether the flow passes without the culprit was not seen, so it is not said; nor that something else fails."""
    with held_after(fresh_database, COUNTER + FAILS_FIRST + on_users("b_counts", COUNTS)):
        (result,) = prove(fresh_database).flows
    assert result.outcome is Outcome.FAIL
    assert [(culprit.name, culprit.necessary, culprit.sufficient) for culprit in result.culprits] == [
        ("auth.users.a_fails", False, True)
    ]
    assert result.reason == (
        "with the culprits off it is not known whether the flow passes: "
        "a lock was not to be had within our lock_timeout (55P03 at INSERT auth.users)"
    )
    (result,) = prove(fresh_database).flows
    assert [(culprit.necessary, culprit.sufficient) for culprit in result.culprits] == [(True, True)]
    assert result.reason is None


def test_a_replay_whose_handler_catches_our_limit(fresh_database: Database) -> None:
    catches = f"  BEGIN\n{COUNTS.splitlines()[0]}\n  EXCEPTION WHEN OTHERS THEN NULL;\n  END;\n  RETURN NEW;"
    with held_after(fresh_database, COUNTER + FAILS_FIRST + on_users("b_counts", catches)):
        (result,) = prove(fresh_database).flows
    assert [(culprit.name, culprit.necessary) for culprit in result.culprits] == [("auth.users.a_fails", False)]
    assert result.reason is not None
    assert "the statement ran into our statement_timeout (57014 at INSERT auth.users)" in result.reason


def test_a_replay_that_has_to_be_ended(fresh_database: Database) -> None:
    """It goes on over a new connection; other flows still hear why the sign-up itself fails."""
    loops = (
        "  LOOP\n    BEGIN\n      LOOP PERFORM 1; END LOOP;\n    EXCEPTION WHEN query_canceled THEN NULL;\n    END;\n"
    )
    apply_as_postgres(fresh_database, FAILS_FIRST + on_users("b_loops", loops + "  END LOOP;"))
    report = prove(fresh_database, flows=("signup-email", "login"), limits=Limits(statement=400, lock=300))
    sign_up, login = report.flows
    assert [(culprit.name, culprit.necessary) for culprit in sign_up.culprits] == [("auth.users.a_fails", False)]
    assert sign_up.reason is not None
    assert "it is not known whether the flow passes: signup-email goes on past our statement_timeout" in sign_up.reason
    assert login.outcome is Outcome.PASS
    assert login.reason is not None
    assert "because signup-email with bare metadata fails (P0001 at INSERT auth.users)" in login.reason


def test_a_handler_that_is_open_and_meets_one(fresh_database: Database) -> None:
    tries = (
        "  BEGIN\n    PERFORM FROM public.counter FOR UPDATE NOWAIT;\n"
        "  EXCEPTION WHEN OTHERS THEN NULL;\n  END;\n  RETURN NEW;"
    )
    with held_after(fresh_database, COUNTER + on_users("tries", tries)):
        report = prove(fresh_database, unmask=True)
    assert [result.outcome for result in report.flows] == [Outcome.PASS]
    assert report.hidden_errors == ()
    assert (
        "what exception handlers hide in signup-email is not known: "
        "a lock was not to be had within our lock_timeout (55P03 at INSERT auth.users)"
    ) in report.session.gaps


def test_a_switch_whose_lock_is_not_to_be_had(fresh_database: Database) -> None:
    """Two triggers share the function, so that the one is switched off by a lock on the table."""
    shared = FAILS_FIRST + (
        "CREATE TRIGGER a_second BEFORE DELETE ON auth.users FOR EACH ROW EXECUTE FUNCTION public.a_fails();"
    )
    writes = "DELETE FROM auth.users WHERE false"
    with held_after(fresh_database, shared, writes):
        report = prove(fresh_database, allow_locks=True)
    (result,) = report.flows
    assert result.outcome is Outcome.FAIL
    assert result.culprits == ()
    assert result.reason == (
        "the cause is not proved, for switching triggers off was refused: "
        "a lock was not to be had within our lock_timeout (55P03)"
    )
    assert report.toggles == ()
