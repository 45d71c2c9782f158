"""What a rule is made of, and how it reports.

A rule is one module: its docstring is the user's page, META its data, BAD and GOOD its examples, `check` its opinion.
`check` is a pure function from the Audit to findings; it touches no connection and prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from trigger_audit.analysis.handlers import catching_line
from trigger_audit.auth.roles import SCHEMA
from trigger_audit.findings.model import Finding, Path, Place, Proof, Severity
from trigger_audit.findings.seen import Seen

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit, BodyFacts, Site, Visit
    from trigger_audit.auth.model import Firing
    from trigger_audit.catalog.model import Table
    from trigger_audit.plpgsql.tree import Span


@dataclass(frozen=True, slots=True)
class Harm:
    """What the bad example does to a flow on a server: the proof that the rule is no opinion.

    `outcome` is fail or altered, `sqlstate` the failure's (None where nothing is raised).
    """

    flow: str
    outcome: str = "fail"
    sqlstate: str | None = None
    payload: str = "bare"


@dataclass(frozen=True, slots=True)
class Meta:
    """`summary` is what it finds, in one line. `sqlstate` is what PostgreSQL raises, None where nothing is raised."""

    code: str
    name: str
    severity: Severity
    summary: str
    sqlstate: str | None = None
    harm: Harm | None = None


Check = Callable[["Audit"], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as the registry found it. `page` is the module's docstring."""

    meta: Meta
    page: str
    bad: str
    good: str
    check: Check


def place_of(facts: BodyFacts, span: Span) -> Place | None:
    """Lines and columns of a span of a body, with the text it covers."""
    if facts.body is None:
        return None
    source = facts.body.source
    line, column = source.place(span.start)
    end_line, end_column = source.place(max(span.start, span.end))
    return Place(
        function=facts.function.name,
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        statement=source.slice(span),
        source_line=source.line(line),
    )


def path_of(visit: Visit, firings: tuple[Firing, ...] | None = None) -> Path:
    """The way to a visit, with the flows of the firings given (all of the visit's by default)."""
    chosen = visit.firings if firings is None else firings
    return Path(
        table=visit.root_table.name,
        trigger=visit.root.name,
        events=(visit.root_event,),
        via=visit.via,
        flows=tuple(sorted({firing.flow for firing in chosen})),
    )


def seen_in(firings: tuple[Firing, ...]) -> tuple[Seen, ...]:
    """What the app user reads when a statement that these firings run fails; nothing where Auth is not concerned."""
    return tuple(
        _seen(firing.flow, firing.latent, firing.step, firing.message, firing.after_mail) for firing in firings
    )


# Thousands of findings say the same of the same firings.
_seen = cache(Seen)


def operation(firings: tuple[Firing, ...]) -> str:
    """What runs these statements, in words: `the sign-up` where they make the user, else Auth's flows by name."""
    if any(firing.event == "INSERT" and firing.table == f"{SCHEMA}.users" for firing in firings):
        return "the sign-up"
    told = [firing for firing in firings if not firing.latent] or list(firings)
    flows = list(dict.fromkeys(firing.flow for firing in sorted(told, key=lambda firing: firing.flow != "login")))
    if not flows:
        return "the statement"
    return flows[0] + (f" and {len(flows) - 1} more flows" if len(flows) > 1 else "")


def passing(firings: tuple[Firing, ...]) -> str:
    """`the sign-up passes`, `login and 2 more flows pass`."""
    what = operation(firings)
    return f"{what} {'pass' if what.endswith('flows') else 'passes'}"


def judged(meta_severity: Severity, site: Site, firings: tuple[Firing, ...], hidden_by: int | None) -> Severity:
    """A refusal's severity: error only where a default flow runs into it for sure and nothing catches it."""
    severity = meta_severity
    latent_only = bool(firings) and all(firing.latent for firing in firings)
    if severity is Severity.ERROR and (latent_only or not site.certain):
        severity = Severity.WARNING
    return severity.lowered() if hidden_by is not None else severity


def refusal(
    meta: Meta,
    site: Site,
    span: Span,
    *,
    message: str,
    why: str,
    fix: str,
    cause: str,
    proof: Proof,
    firings: tuple[Firing, ...] | None = None,
    sqlstate: str | None = None,
    at_compile_time: bool = False,
) -> Finding:
    """A finding about a statement that PostgreSQL refuses: severity by flows and handlers, `why` with the user's text.

    `firings` narrows the flows to those in which it happens (all of the site's by default). What fails while PL/pgSQL
    compiles the function (`at_compile_time`) is beyond its own handlers: only a caller's can catch it.
    """
    state = sqlstate or meta.sqlstate
    chosen = site.firings if firings is None else firings
    hidden_by = catching_line(site, state, callers_only=at_compile_time) if state else None
    if hidden_by is not None:
        told = f"{why} The handler on line {hidden_by} hides it: {passing(chosen)}, what the block wrote is lost."
    else:
        told = why
    return Finding(
        rule=meta.code,
        name=meta.name,
        severity=judged(meta.severity, site, chosen, hidden_by),
        object=site.visit.function.name,
        paths=(path_of(site.visit, chosen),),
        place=place_of(site.facts, span),
        message=message,
        why=told,
        fix=fix,
        proof=proof,
        sqlstate=state,
        hidden_by=hidden_by,
        cause=cause,
        seen=() if hidden_by is not None else seen_in(chosen),
    )


def remark(
    meta: Meta,
    site: Site,
    span: Span,
    *,
    message: str,
    why: str,
    fix: str,
    cause: str,
    proof: Proof,
    severity: Severity | None = None,
) -> Finding:
    """A finding about a statement that PostgreSQL runs but that does harm: no handler makes it better."""
    return Finding(
        rule=meta.code,
        name=meta.name,
        severity=severity or meta.severity,
        object=site.visit.function.name,
        paths=(path_of(site.visit, site.firings),),
        place=place_of(site.facts, span),
        message=message,
        why=why,
        fix=fix,
        proof=proof,
        sqlstate=meta.sqlstate,
        hidden_by=None,
        cause=cause,
    )


def is_auths(table: Table) -> bool:
    """Whether it is one of Auth's own: nobody should be told to alter it, and hosted Supabase refuses that."""
    return table.schema == SCHEMA


def first_visits(audit: Audit) -> Iterator[tuple[BodyFacts, tuple[Visit, ...]]]:
    """Every function that the cascade runs with all its visits, in the order of the first one."""
    grouped: dict[int, list[Visit]] = {}
    for visit in audit.cascade.visits:
        grouped.setdefault(visit.function.oid, []).append(visit)
    for oid, visits in grouped.items():
        yield audit.bodies[oid], tuple(visits)
