"""Findings of a scan, and what smoke sees of them on the same database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.conftest import FreshDatabase
from trigger_audit.database.connect import connect
from trigger_audit.database.dsn import parse_dsn
from trigger_audit.findings.model import Finding, Proof, Severity
from trigger_audit.opening import TargetInfo
from trigger_audit.pipeline import SmokeOptions, prove, scan
from trigger_audit.rules.base import Rule
from trigger_audit.rules.registry import all_rules


def proving(
    database: FreshDatabase, flow: str | None, spoil: Callable[[Finding], Finding] | None = None
) -> list[Finding]:
    """Scan, then smoke on the same connection; `spoil` changes the findings in between."""
    with connect(parse_dsn(database.conninfo())) as connection:
        scanned = scan(connection, TargetInfo("database", "test", "0", "supabase"), all_rules())
        if spoil is not None:
            scanned = replace(scanned, findings=tuple(spoil(finding) for finding in scanned.findings))
        options = SmokeOptions(flows=None if flow is None else (flow,), allow_locks=True, unmask=True)
        return list(prove(connection, scanned, options)[0].findings)


RAISING = [rule for rule in all_rules() if rule.meta.harm is not None and rule.meta.harm.sqlstate is not None]


@pytest.mark.parametrize("rule", RAISING, ids=lambda rule: rule.meta.code)
def test_every_rules_bad_example_is_observed(rule: Rule, fresh_database: FreshDatabase) -> None:
    assert rule.meta.harm is not None
    fresh_database.apply(rule.bad)
    findings = proving(fresh_database, rule.meta.harm.flow)
    assert {finding.proof for finding in findings if finding.rule == rule.meta.code} == {Proof.OBSERVED}
    assert [finding.rule for finding in findings if "Smoke did not" in finding.why] == []


def attached(name: str, body: str, declare: str = "") -> str:
    return f"""
        create function public.{name}() returns trigger language plpgsql security definer set search_path = '' as $$
        {declare} begin
          {body}
          return new;
        end $$;
        create trigger {name} after insert on auth.users for each row execute function public.{name}();
    """


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("set check_function_bodies = off;" + attached("f", "if true then null; end iff;"), "TA001"),
        ("set check_function_bodies = off;" + attached("f", "null;", "declare a int; b public.nope;"), "TA102"),
        ("create table public.t (a int);" + attached("f", "", "declare b int := (select z from public.t);"), "TA103"),
        (
            "create table public.t (a int, b int not null);"
            "create function public.g(id uuid) returns void language sql security definer set search_path = '' as $$"
            " select 1; insert into public.t (a) values (1) $$;" + attached("f", "perform public.g(new.id);"),
            "TA106",
        ),
        (
            "create table public.t (a int, b int not null);"
            + attached("f", "begin insert into public.t (a) values (1); exception when others then null; end;"),
            "TA106",
        ),
        (attached("f", "if new.id is null then perform public.nope(1); end if;\n perform public.nope(1);"), "TA102"),
    ],
    ids=["compilation", "declared type", "default", "SQL function", "hidden", "second line"],
)
def test_failures_that_postgresql_reports_in_other_ways(sql: str, rule: str, fresh_database: FreshDatabase) -> None:
    fresh_database.apply(sql)
    (found,) = [finding for finding in proving(fresh_database, "signup-email") if finding.rule == rule]
    assert found.proof is Proof.OBSERVED


def test_a_swallowed_failure_that_has_no_finding_of_its_own(fresh_database: FreshDatabase) -> None:
    divide = (
        "begin insert into public.t values (1 / (select count(*) from public.t)); exception when others then null; end;"
    )
    fresh_database.apply("create table public.t (a int);" + attached("f", divide))
    (found,) = [finding for finding in proving(fresh_database, "signup-email") if finding.rule == "TA302"]
    assert found.observed_in == ("signup-email (hidden by a handler)",)


def test_two_faults_of_one_statement_are_told_apart(fresh_database: FreshDatabase) -> None:
    fresh_database.apply(
        "create table public.t (a int, b int not null, c int not null);"
        + attached("f", "insert into public.t (a) values (1);")
    )
    found = {finding.cause: finding.proof for finding in proving(fresh_database, "signup-email")}
    assert found == {"public.t.b": Proof.OBSERVED, "public.t.c": Proof.CATALOG}


def test_a_claim_that_a_run_refutes(fresh_database: FreshDatabase) -> None:
    """The run is real; the claim is made up from a finding of another kind at the same statement."""
    fresh_database.apply(
        "create table public.t (a uuid, b int);" + attached("f", "insert into public.t (a) values (new.id);")
    )

    def certain(finding: Finding) -> Finding:
        return replace(finding, severity=Severity.ERROR, proof=Proof.CATALOG, sqlstate="23502", cause="public.t.b")

    (found,) = proving(fresh_database, None, certain)
    assert found.proof is Proof.CATALOG
    told = "admin-create, invite, oauth-first, signup-autoconfirm and 2 more went through."
    assert found.why.endswith(f"Smoke did not see this happen: {told}")


def test_a_rule_that_scan_does_not_read_is_what_smoke_meets(fresh_database: FreshDatabase) -> None:
    """PostgreSQL rewrites the INSERT away, so that the column is never left out."""
    fresh_database.apply(
        "create table public.t (a uuid, b int not null);"
        "create rule elsewhere as on insert to public.t do instead nothing;"
        + attached("f", "insert into public.t (a) values (new.id);")
    )
    (found,) = [finding for finding in proving(fresh_database, None) if finding.severity is Severity.ERROR]
    assert (found.rule, found.proof) == ("TA106", Proof.CATALOG)
    assert "Smoke did not see this happen: " in found.why
