"""Before and after, told apart by what is the same in both."""

from __future__ import annotations

from dataclasses import replace

from trigger_audit.check.compare import added, broken_statements, changed_flows, mended, newly_broken
from trigger_audit.check.model import FlowChange
from trigger_audit.findings.model import Finding, Proof, Severity
from trigger_audit.sandbox.migrations import FailedStatement
from trigger_audit.smoke.model import FailedStep, FlowResult, Mail, Outcome, Payload

FAULT = Finding(
    rule="TA101",
    name="unresolved-relation",
    severity=Severity.WARNING,
    object="public.f()",
    paths=(),
    place=None,
    message="",
    why="",
    fix="",
    proof=Proof.SERVER,
    sqlstate="42P01",
    hidden_by=4,
    cause="42P01 t",
    fingerprint="a",
)
OTHER = replace(FAULT, fingerprint="b")
SILENCED = replace(FAULT, suppressed="on purpose")
PASSED = FlowResult("login", Payload.BARE, False, Outcome.PASS, None, None, None, Mail.NONE, (), 3)
STEP = FailedStep(2, "INSERT auth.identities", "23502", "null value", function="public.f()", line=4)
FAILED = replace(PASSED, outcome=Outcome.FAIL, failed_step=STEP)


def test_a_new_finding_is_added_and_one_that_is_gone_mended() -> None:
    assert added([FAULT], [FAULT, OTHER]) == (OTHER,)
    assert mended([FAULT, OTHER], [FAULT]) == (OTHER,)
    assert (added([FAULT], [FAULT]), mended([FAULT], [FAULT])) == ((), ())


def test_the_same_fault_twice_is_one_more() -> None:
    moved = replace(FAULT, hidden_by=9)
    assert added([FAULT], [FAULT, moved]) == (moved,)
    assert mended([FAULT, moved], [FAULT]) == (moved,)


def test_a_fault_that_its_handler_no_longer_catches_counts_anew() -> None:
    worse = replace(FAULT, severity=Severity.ERROR, hidden_by=None)
    assert added([FAULT], [worse]) == (worse,)
    assert mended([FAULT], [worse]) == ()
    assert added([worse], [FAULT]) == ()


def test_what_is_silenced_is_neither_added_nor_mended() -> None:
    assert added([], [SILENCED]) == ()
    assert mended([FAULT], [SILENCED]) == ()
    assert added([SILENCED], [FAULT]) == (FAULT,)
    assert mended([SILENCED], []) == ()


def test_an_info_that_is_gone_was_nothing_to_mend() -> None:
    assert mended([replace(FAULT, severity=Severity.INFO)], []) == ()


def test_a_flow_that_ends_otherwise_is_changed() -> None:
    assert changed_flows([PASSED], [FAILED]) == (FlowChange(PASSED, FAILED),)
    assert changed_flows([FAILED], [PASSED]) == (FlowChange(FAILED, PASSED),)
    assert changed_flows([PASSED], [replace(PASSED, milliseconds=9)]) == ()


def test_another_failure_is_a_change_and_a_moved_line_is_none() -> None:
    moved = replace(FAILED, failed_step=replace(STEP, line=40))
    other = replace(FAILED, failed_step=replace(STEP, sqlstate="42P01"))
    assert changed_flows([FAILED], [moved]) == ()
    assert changed_flows([FAILED], [other]) == (FlowChange(FAILED, other),)


def test_a_payload_of_one_side_alone_is_a_change() -> None:
    full = replace(PASSED, payload=Payload.FULL)
    assert changed_flows([PASSED], [PASSED, full]) == (FlowChange(None, full),)
    assert changed_flows([PASSED, full], [PASSED]) == (FlowChange(full, None),)


def test_of_two_faults_alike_the_graver_one_is_new() -> None:
    error = replace(FAULT, severity=Severity.ERROR)
    assert added([FAULT, error], [error, error]) == (error,)


def failed(sqlstate: str | None, statement: str) -> FailedStatement:
    return FailedStatement("1_x.sql", 1, statement, sqlstate, "message")


def test_what_no_database_takes_is_broken_and_what_depends_on_the_rest_is_not() -> None:
    broken = [
        failed("42601", "create tabel x"),
        failed("42P07", "create table x ()"),
        failed("2BP01", "drop function f()"),
        failed("22P02", "create table x (n int default 'abc'::int)"),
    ]
    open_ = [
        failed("42P01", "alter table of_the_dashboard add n int"),
        failed("42501", "create function auth.f()"),
        failed("22P02", "insert into x values ('abc')"),
        failed("23502", "alter table x alter n set not null"),
        failed("0A000", "create extension plv8"),
        failed("P0001", "do $$ begin raise 'no'; end $$"),
        failed(None, "create database x"),
    ]
    assert broken_statements([*broken, *open_]) == tuple(broken)


def test_a_broken_statement_is_known_in_any_layout() -> None:
    old = failed("42601", "create tabel x (\n  n int\n)")
    assert newly_broken([old], [failed("42601", "create tabel x ( n int )")]) == ()
    assert newly_broken([old], [old, old]) == (old,)
