"""A table or view that the function names does not exist under the search path in force.

What it finds: relations in INSERT, UPDATE, DELETE, SELECT and sub-selects that PostgreSQL cannot find. Either the
table is gone or was never made, or its name has no schema and the search path does not hold it: Auth connects with
`search_path = auth`, so a function without a search path of its own looks for `profiles` in schema auth.

Why it hurts: PostgreSQL raises 42P01, `relation "profiles" does not exist`, when the statement runs for the first
time. CREATE FUNCTION does not check it, and the SQL editor runs with another search path, where it works. The app
user sees "Database error saving new user".

How to mend: write the schema before the name and pin the path, `SET search_path = ''`; or create the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

from trigger_audit.catalog.naming import quoted
from trigger_audit.findings.model import Finding, Severity
from trigger_audit.rules.base import Harm, Meta
from trigger_audit.rules.refusals.complaints import complaint_findings

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit, Complaint, Site

META = Meta(
    code="TA101",
    name="unresolved-relation",
    severity=Severity.ERROR,
    summary="relation not found under the effective search_path",
    sqlstate="42P01",
    harm=Harm(flow="signup-email", sqlstate="42P01"),
)

BAD = """\
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.handle_new_user() returns trigger
language plpgsql security definer as $$
begin
  insert into profiles (id) values (new.id); -- TA101
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

STATES = frozenset({"42P01", "3F000"})


def check(audit: Audit) -> Iterator[Finding]:
    yield from complaint_findings(audit, META, STATES, wording)


def wording(audit: Audit, site: Site, complaint: Complaint) -> tuple[str, str, str]:
    visit = site.visit
    name = complaint.name
    path = ", ".join(visit.search_path) or "pg_catalog only"
    if complaint.sqlstate == "3F000":
        return (
            f'schema "{name}" does not exist',
            "PostgreSQL refuses the statement when it runs (3F000).",
            "create the schema, or correct its name",
        )
    if "." in name:
        known = {table.name.lower(): table.sql for table in audit.catalog.tables.values()}
        near = get_close_matches(name.lower(), known, n=1, cutoff=0.8)
        fix = (
            f"did you mean {known[near[0]]}? Otherwise create {name}" if near else f"create {name}, or correct the name"
        )
        return f'relation "{name}" does not exist', "PostgreSQL refuses the statement when it runs (42P01).", fix
    elsewhere = sorted(table.schema for table in audit.catalog.tables.values() if table.relation == name)
    why = (
        f"The function runs as {visit.role} with search_path {path}; there the name means nothing. It works in the SQL "
        "editor, which has public on its path."
        if elsewhere
        else "PostgreSQL refuses the statement when it runs (42P01)."
    )
    fix = (
        f"write {quoted(elsewhere[0], name)}, and alter function {visit.function.sql} set search_path = ''"
        if elsewhere
        else f"create the table, or correct the name {name}"
    )
    return f'relation "{name}" is not found under search_path {path}', why, fix
