"""The role that runs the statement lacks a privilege on the schema, table, column, sequence or function.

What it finds: statements of functions without SECURITY DEFINER, which run as supabase_auth_admin: that role has no
rights in schema public unless they were granted. Also functions whose owner lost its rights, for instance when a
reset of schema public dropped the default grants.

Why it hurts: PostgreSQL raises 42501, `permission denied for table profiles`. It works in the SQL editor, for postgres
may do it. The app user sees "Database error saving new user".

How to mend: make the function SECURITY DEFINER with a pinned search path, owned by a role that may write the table;
or grant the privilege.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trigger_audit.analysis.privileges import requirements
from trigger_audit.findings.model import Finding, Proof, Severity
from trigger_audit.rules.base import Harm, Meta, refusal

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit, Requirement, Site

META = Meta(
    code="TA104",
    name="missing-privilege",
    severity=Severity.ERROR,
    summary="the role that runs the statement lacks a grant on schema, table, column, sequence or function",
    sqlstate="42501",
    harm=Harm(flow="signup-email", sqlstate="42501"),
)

BAD = """\
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id); -- TA104
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
begin
  insert into public.profiles (id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""


def check(audit: Audit) -> Iterator[Finding]:
    if not audit.answers.denied:
        return
    for site in audit.cascade.sites:
        needed = requirements(site, audit.catalog)
        # The server stops at the first refusal: one statement, one finding.
        missing = next((requirement for requirement in needed if requirement in audit.answers.denied), None)
        if missing is not None:
            yield finding(audit, site, missing)


def finding(audit: Audit, site: Site, requirement: Requirement) -> Finding:
    visit = site.visit
    kind, name = object_name(audit, requirement)
    invoker = not visit.function.security_definer
    what = f"{requirement.privilege} on {kind} {name}"
    fix = (
        f"alter function {visit.function.sql} security definer set search_path = ''; its owner "
        f"{visit.function.owner} then runs the statement"
        if invoker and visit.function.owner != requirement.role
        else f"grant {requirement.privilege.lower()} on {kind} {name} to {requirement.role}"
    )
    reason = "runs with the rights of whoever fires the trigger" if invoker else "is SECURITY DEFINER"
    span = next((write.span for write in site.statement.writes), site.statement.span)
    return refusal(
        META,
        site,
        span,
        message=f"{requirement.role} may not do this: it lacks {what}",
        why=f"The function {reason}, so {requirement.role} runs the statement, and PostgreSQL refuses it (42501).",
        fix=fix,
        cause=f"{requirement.role} {requirement.privilege} {kind} {name}",
        proof=Proof.CATALOG,
    )


def object_name(audit: Audit, requirement: Requirement) -> tuple[str, str]:
    """(kind, name) as GRANT spells them."""
    catalog = audit.catalog
    if requirement.kind == "schema":
        return "schema", next((s.name for s in catalog.schemas.values() if s.oid == requirement.oid), "?")
    if requirement.kind == "function":
        return "function", catalog.functions[requirement.oid].name
    table = catalog.tables.get(requirement.oid)
    if requirement.kind == "column" and table is not None:
        return "table", f"{table.name} ({requirement.column})"
    if table is not None:
        return "table", table.name
    return requirement.kind, requirement.column or str(requirement.oid)
