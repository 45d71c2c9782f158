"""A statement on the path of a sign-up, a login or a deletion can fail, and nothing catches the failure.

What it finds: writes that Auth's statements set off without an exception handler around them. A warning where the
statement is optional to what the user does: audit rows, notifications, mail, analytics, counters.

Why it hurts: any failure there (a constraint, a missing right, a lock) refuses the sign-up. For the profile row that
may be what you want: then leave it. For an audit row it hardly is. The app user sees "Database error saving new user".

How to mend: put the optional part into a block of its own, `begin ... exception when others then raise warning ...;
end;`, so that its failure is logged and the sign-up passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from trigger_audit.findings.model import Finding, Proof, Severity
from trigger_audit.rules.base import Meta, operation, refusal

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit, Site, Write

META = Meta(
    code="TA301",
    name="missing-exception-handler",
    severity=Severity.WARNING,
    summary="statements on Auth's path that can fail and that nothing catches; warning where they are optional",
)

BAD = """\
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.audit_log (id bigint generated always as identity, entry text not null check (entry <> ''));

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.audit_log (entry) values ('created ' || new.id); -- TA301
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""

GOOD = """\
create table public.profiles (id uuid primary key references auth.users on delete cascade);
create table public.audit_log (id bigint generated always as identity, entry text not null check (entry <> ''));

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  begin
    insert into public.audit_log (entry) values ('created ' || new.id);
  exception when others then
    raise warning 'audit row not written: %', sqlerrm;
  end;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""

OPTIONAL = re.compile(
    r"(^|_)(audit|log|logs|history|event|events|notification|notifications|mail|mails|email_queue|outbox|analytics|"
    r"metric|metrics|stats|statistics|counter|counters|activity|activities|webhook|webhooks|queue)(_|$)"
)

# Tables about such things, made for the user: they are part of the sign-up.
NOT_OPTIONAL = re.compile(r"(^|_)(preferences?|settings?|options?|types?|templates?|channels?|subscriptions?)$")


def check(audit: Audit) -> Iterator[Finding]:
    """An info for the first uncaught write of a function, a warning for each optional one."""
    told: set[tuple[int, int]] = set()
    functions: set[int] = set()
    for site in audit.cascade.sites:
        if not site.firings or catches_anything(site):
            continue
        for write in site.statement.writes:
            optional = is_optional(write.target.name.lower())
            first = (site.visit.function.oid, write.span.start)
            if not optional and first[0] in functions and first not in told:
                continue
            told.add(first)
            functions.add(first[0])
            yield report(site, write, optional=optional)


def is_optional(table: str) -> bool:
    return OPTIONAL.search(table) is not None and NOT_OPTIONAL.search(table) is None


def catches_anything(site: Site) -> bool:
    return bool(site.statement.handlers) or bool(site.visit.caught)


def report(site: Site, write: Write, *, optional: bool) -> Finding:
    target = ".".join(part for part in (write.target.schema, write.target.name) if part)
    meta = META if optional else INFO
    what = operation(site.firings)
    path = "the sign-up path" if what == "the sign-up" else f"the path of {what}"
    said = f"is optional to {what}, yet" if optional else f"is on {path}, and"
    return refusal(
        meta,
        site,
        write.span,
        message=f"{write.kind} on {target} {said} nothing catches its failure",
        why="Any failure here refuses the whole operation.",
        fix="put it into a block of its own with `exception when others then raise warning ...`"
        if optional
        else f"leave it if {what} shall fail with it; else handle the failure in a block of its own",
        cause=f"{write.kind} {target}",
        proof=Proof.PATTERN,
    )


INFO = Meta(code=META.code, name=META.name, severity=Severity.INFO, summary=META.summary)
