"""A function of the cascade is written in a language that is not analysed.

What it finds: functions in C, plv8, PL/Perl, PL/Python and the like that an event on an audited table runs.

Why it hurts: nothing by itself. What such a function does is not known here: it counts as not analysed, never as clean.

How to mend: run `trigger-audit smoke`, which executes it; keep the sign-up path in PL/pgSQL where you can.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trigger_audit.findings.model import Finding, Proof, Severity
from trigger_audit.rules.base import Meta, first_visits, path_of

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit

META = Meta(
    code="TA002",
    name="language-not-analysed",
    severity=Severity.INFO,
    summary="C, plv8, plperl, plpython trigger functions",
)

BAD = """\
create trigger keep_unchanged before update on auth.users -- TA002
  for each row execute function suppress_redundant_updates_trigger();
"""

GOOD = """\
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

ANALYSED = frozenset({"plpgsql", "sql"})


def check(audit: Audit) -> Iterator[Finding]:
    for facts, visits in first_visits(audit):
        function = facts.function
        if function.language in ANALYSED:
            continue
        yield Finding(
            rule=META.code,
            name=META.name,
            severity=META.severity,
            object=function.name,
            paths=tuple(path_of(visit) for visit in visits),
            place=None,
            message=f"{function.name} is written in {function.language}, which is not analysed",
            why="What it does to a sign-up is not known from its text.",
            fix="let `trigger-audit smoke` run it",
            proof=Proof.CATALOG,
            sqlstate=None,
            hidden_by=None,
            cause=function.language,
        )
