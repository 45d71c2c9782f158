"""A SECURITY DEFINER function has no search path of its own.

What it finds: functions of the cascade that run with their owner's rights and take the caller's search path. Info where
every name in the body has its schema: then nothing can break, and it is only the safer habit.

Why it hurts: under Auth the path is `auth`, so an unqualified name means something else than in the SQL editor, or
nothing. And whoever may create objects in a schema of the caller's path can have them run with the owner's rights.

How to mend: `alter function public.handle_new_user() set search_path = '';` and write every schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trigger_audit.analysis.questions.made import made_names
from trigger_audit.findings.model import Finding, Place, Proof, Severity
from trigger_audit.rules.base import Meta, first_visits, path_of

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit, BodyFacts, Visit

META = Meta(
    code="TA501",
    name="definer-without-search-path",
    severity=Severity.WARNING,
    summary="SECURITY DEFINER without SET search_path (info if every name is qualified)",
)

BAD = """\
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer as $$ -- TA501
declare
  known int;
begin
  select count(*) into known from users;
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""

GOOD = """\
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  known int;
begin
  select count(*) into known from auth.users;
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""


def check(audit: Audit) -> Iterator[Finding]:
    for facts, visits in first_visits(audit):
        function = facts.function
        if not function.security_definer or function.search_path is not None:
            continue
        bare = first_bare_relation(facts, visits)
        named = (
            f": line {bare[0]} names {bare[1]} without its schema" if bare else "; every table it names is qualified"
        )
        yield Finding(
            rule=META.code,
            name=META.name,
            severity=META.severity if bare else Severity.INFO,
            object=function.name,
            paths=tuple(path_of(visit) for visit in visits),
            place=Place(
                function=function.name,
                line=1,
                column=1,
                end_line=1,
                end_column=1,
                statement="",
                source_line=facts.body.source.line(1) if facts.body else "",
            ),
            message=f"{function.name} is SECURITY DEFINER without a search path of its own{named}",
            why="It takes the path of whoever fires it: auth when Auth does, another one in the SQL editor.",
            fix=f"alter function {function.sql} set search_path = ''; and write every schema",
            proof=Proof.CATALOG,
            sqlstate=None,
            hidden_by=None,
            cause="search_path",
        )


def first_bare_relation(facts: BodyFacts, visits: tuple[Visit, ...]) -> tuple[int, str] | None:
    """(line, name) of the first relation without a schema, or None.

    Transition tables, tables that the body makes, and those of pg_catalog, which is always searched first, need none.
    """
    if facts.body is None:
        return None
    known = set(made_names(facts.body))
    for visit in visits:
        if visit.trigger is not None:
            known |= {name for name in (visit.trigger.old_table, visit.trigger.new_table) if name is not None}
    for statement in facts.statements:
        for sql in statement.sql:
            for relation in (*sql.reads, *(write.target for write in sql.writes)):
                if relation.schema is None and relation.name not in known and not relation.name.startswith("pg_"):
                    return facts.body.source.place(relation.span.start)[0], relation.name
    return None
