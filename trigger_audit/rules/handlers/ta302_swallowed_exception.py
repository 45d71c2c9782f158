"""A handler hides every failure of a write, and nobody hears of it.

What it finds: `exception when others then` around an INSERT, UPDATE, DELETE or MERGE (also of a helper that is called
there, or of a trigger further down), where an error can go through the handler without an exception and without a
trace. A trace is RAISE WARNING or RAISE LOG, a row that the handler writes, a call of a function that does either, a
field of NEW, or a variable that is looked at afterwards. RAISE NOTICE, INFO and DEBUG are none: the server's log begins
at WARNING (log_min_messages), and Auth keeps no notices. Handlers for named errors (`when unique_violation then`) stay
out: they say what they expect. So do loops that try again. Where the write is optional to the sign-up by its table's
name (audit rows, notifications, counters: see TA301) it is an info.

Why it hurts: the app user sees nothing: the sign-up passes, and the row is missing. What shows are its followers, days
later: a profile page that is empty, a foreign key that fails, a policy that lets nothing through; and there is no line
in any log to begin with.

How to mend: catch only what you expect, by its name; or leave a trace that is looked at,
`raise warning 'no profile for %: %', new.id, sqlerrm;`; or take the handler away where the sign-up shall not pass
without the row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trigger_audit.analysis.swallowed import Lost, Swallower, swallowers
from trigger_audit.findings.model import Finding, Proof, Severity
from trigger_audit.plpgsql.lexer import tokenise
from trigger_audit.plpgsql.tree import Span
from trigger_audit.rules.base import Meta, passing, path_of, place_of
from trigger_audit.rules.handlers.ta301_missing_exception_handler import is_optional

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit
    from trigger_audit.plpgsql.tree import Handler

META = Meta(
    code="TA302",
    name="swallowed-exception",
    severity=Severity.WARNING,
    summary="handler around a write that neither re-raises nor leaves a trace; the row silently missing",
)

BAD = """\
create table public.plans (id smallint primary key, is_default boolean not null default false);
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  plan_id smallint not null references public.plans
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_plan smallint;
begin
  select id into strict v_plan from public.plans where is_default; -- no such plan, no profile
  insert into public.profiles (id, plan_id) values (new.id, v_plan);
  return new;
exception when others then -- TA302
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""

GOOD = """\
create table public.plans (id smallint primary key, is_default boolean not null default false);
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  plan_id smallint not null references public.plans
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_plan smallint;
begin
  select id into strict v_plan from public.plans where is_default; -- no such plan, no profile
  insert into public.profiles (id, plan_id) values (new.id, v_plan);
  return new;
exception when others then
  raise warning 'no profile for %: % (%)', new.id, sqlerrm, sqlstate;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""

_WRITTEN = {"INSERT": "INSERT into", "UPDATE": "UPDATE of", "DELETE": "DELETE from", "MERGE": "MERGE into"}
_LEFT = {
    "INSERT": "the row in {} is missing",
    "UPDATE": "the change of {} is not made",
    "DELETE": "the rows of {} stay",
    "MERGE": "{} lacks the change",
}


def check(audit: Audit) -> Iterator[Finding]:
    """One finding for each handler that swallows, at its WHEN."""
    for swallower in swallowers(audit):
        grave = [lost for lost in swallower.lost if not _is_optional(lost)]
        yield _report(swallower, grave or list(swallower.lost), optional=not grave)


def _report(swallower: Swallower, lost: list[Lost], *, optional: bool) -> Finding:
    firings = tuple(firing for _, found in swallower.reached for firing in found)
    first = lost[0]
    others = {1: "", 2: " and of 1 more write"}.get(len(lost), f" and of {len(lost) - 1} more writes")
    return Finding(
        rule=META.code,
        name=META.name,
        severity=Severity.INFO if optional else META.severity,
        object=swallower.facts.function.name,
        paths=tuple(path_of(visit, found) for visit, found in swallower.reached),
        place=place_of(swallower.facts, _header(swallower)),
        message=f"the handler hides every failure of the {_WRITTEN[first.kind]} {_table(first)}{others}, "
        "and leaves no trace",
        why=f"The app user sees nothing: {passing(firings)}, and {_LEFT[first.kind].format(_table(first))}.",
        fix="log it: `raise warning '...: %', sqlerrm`"
        if optional
        else "catch only the errors that you expect, by name; or log it: `raise warning '...: %', sqlerrm`",
        proof=Proof.PATTERN,
        sqlstate=None,
        hidden_by=None,
        cause=", ".join(sorted(f"{found.kind} {found.table or '?'}" for found in swallower.lost)),
    )


def _table(lost: Lost) -> str:
    return lost.table or "a table that EXECUTE names"


def _is_optional(lost: Lost) -> bool:
    return lost.table is not None and is_optional(lost.table.rpartition(".")[2].lower())


def _header(swallower: Swallower) -> Span:
    """`when ... then` of the handler."""
    assert swallower.facts.body is not None
    handler: Handler = swallower.handler
    tokens, _ = tokenise(swallower.facts.body.source.slice(handler.span))
    end = next(token.end for token in tokens if token.word == "then")
    return Span(handler.span.start, handler.span.start + end)
