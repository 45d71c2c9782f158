"""A path through the trigger function ends without RETURN.

What it finds: an IF without ELSE whose other side reaches the end of the body, a handler without RETURN, a loop that
may end. It knows the events that the trigger really fires for, and branches that always raise.

Why it hurts: PostgreSQL raises 2F005, `control reached end of trigger procedure without RETURN`, whenever that path is
taken; an AFTER trigger needs the RETURN too. The app user sees "Database error saving new user".

How to mend: end the function with `return new;` (or `return old;` for DELETE, `return null;` in an AFTER trigger).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trigger_audit.analysis.returns import reaches_end
from trigger_audit.findings.model import Finding, Proof, Severity
from trigger_audit.rules.base import Harm, Meta, refusal

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit

META = Meta(
    code="TA114",
    name="missing-return",
    severity=Severity.ERROR,
    summary="a path ends without RETURN",
    sqlstate="2F005",
    harm=Harm(flow="signup-email", sqlstate="2F005"),
)

BAD = """\
create table public.profiles (id uuid primary key references auth.users on delete cascade, full_name text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.raw_user_meta_data ? 'full_name' then
    insert into public.profiles (id, full_name) values (new.id, new.raw_user_meta_data ->> 'full_name');
    return new;
  end if;
end; -- TA114
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""

GOOD = """\
create table public.profiles (id uuid primary key references auth.users on delete cascade, full_name text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.raw_user_meta_data ? 'full_name' then
    insert into public.profiles (id, full_name) values (new.id, new.raw_user_meta_data ->> 'full_name');
  end if;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""


def check(audit: Audit) -> Iterator[Finding]:
    for visit in audit.cascade.visits:
        if visit.trigger is None or visit.function.language != "plpgsql":
            continue
        ending = reaches_end(visit, audit.bodies[visit.function.oid])
        if ending is None:
            continue
        site, span = ending
        yield refusal(
            META,
            site,
            span,
            message="control can reach the end of the trigger function without RETURN",
            why="PostgreSQL refuses that (2F005), in AFTER triggers too.",
            fix="return new; as the last statement" if visit.event != "DELETE" else "return old; as the last statement",
            cause="end of function",
            proof=Proof.DATAFLOW,
        )
