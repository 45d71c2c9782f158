"""PostgreSQL's grammar refuses the function's body.

What it finds: PL/pgSQL and SQL that cannot be parsed. Such a body can only be stored while `check_function_bodies` is
off, as in a dump; nothing tells until it runs. Also a SELECT in PL/pgSQL whose result goes nowhere.

Why it hurts: PostgreSQL raises 42601, `syntax error at or near ...` or `query has no destination for result data`,
whenever the function runs, and no handler of the function itself catches a syntax error. The app user sees "Database
error saving new user".

How to mend: correct the body; for a SELECT whose result is not wanted write PERFORM.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trigger_audit.analysis.handlers import caught_outside
from trigger_audit.findings.model import Finding, Place, Proof, Severity
from trigger_audit.plpgsql.tree import Source
from trigger_audit.rules.base import Harm, Meta, first_visits, path_of, seen_in
from trigger_audit.rules.refusals.complaints import complaint_findings

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit, BodyFacts, Complaint, Site, Visit
    from trigger_audit.plpgsql.tree import SyntaxProblem

META = Meta(
    code="TA001",
    name="body-not-parsed",
    severity=Severity.ERROR,
    summary="PL/pgSQL that PostgreSQL's grammar refuses",
    sqlstate="42601",
    harm=Harm(flow="signup-email", sqlstate="42601"),
)

BAD = """\
set check_function_bodies = off;

create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id)
  return new; -- TA001
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""

GOOD = """\
set check_function_bodies = off;

create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""

STATES = frozenset({"42601"})


def check(audit: Audit) -> Iterator[Finding]:
    yield from complaint_findings(audit, META, STATES, wording)
    for facts, visits in first_visits(audit):
        if facts.problem is not None:
            for visit in visits:
                yield unreadable(facts, facts.problem, visit)


def wording(_audit: Audit, _site: Site, complaint: Complaint) -> tuple[str, str, str]:
    fix = complaint.hint or "correct the statement"
    return complaint.message, "PostgreSQL refuses the statement when it runs (42601).", fix


def unreadable(facts: BodyFacts, problem: SyntaxProblem, visit: Visit) -> Finding:
    source = Source(facts.function.source)
    offset = min(problem.offset, len(source.text))
    line, column = source.place(offset)
    hidden_by = caught_outside(visit, problem.sqlstate)
    return Finding(
        rule=META.code,
        name=META.name,
        severity=META.severity if hidden_by is None else META.severity.lowered(),
        object=facts.function.name,
        paths=(path_of(visit),),
        place=Place(
            function=facts.function.name,
            line=line,
            column=column,
            end_line=line,
            end_column=column + 1,
            statement=source.line(line).strip(),
            source_line=source.line(line),
        ),
        message=problem.message,
        why=f"PostgreSQL cannot compile the function ({problem.sqlstate}).",
        fix="correct the body; nothing else in it was analysed",
        proof=Proof.PATTERN,
        sqlstate=problem.sqlstate,
        hidden_by=hidden_by,
        cause=problem.message,
        seen=() if hidden_by is not None else seen_in(visit.firings),
    )
