"""A column or a field of NEW or OLD that does not exist, is ambiguous, or has another type.

What it finds: target columns of INSERT and UPDATE, columns in expressions, fields of NEW and OLD (`new.user_metadata`
where Auth's column is `raw_user_meta_data`), a name that is both a variable and a column, a value whose type does not
fit the column, and a literal that its type refuses, such as a label that an enum lacks.

Why it hurts: PostgreSQL raises 42703, `record "new" has no field "user_metadata"`, 42702 for an ambiguous name, 42804
for a type that does not fit, 22P02 for a literal. Functions drift from their tables: this is the most common single
cause in migrations that mend sign-ups. The app user sees "Database error saving new user".

How to mend: align the function with the table; qualify ambiguous names; cast the value.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

from trigger_audit.catalog.naming import quoted
from trigger_audit.findings.model import Finding, Severity
from trigger_audit.rules.base import Harm, Meta, is_auths
from trigger_audit.rules.refusals.complaints import complaint_findings

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit, Complaint, Site

META = Meta(
    code="TA103",
    name="unknown-column",
    severity=Severity.ERROR,
    summary="column or NEW/OLD field that does not exist, ambiguous names, types that do not fit",
    sqlstate="42703",
    harm=Harm(flow="signup-email", sqlstate="42703"),
)

BAD = """\
create table public.profiles (id uuid primary key references auth.users on delete cascade, full_name text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, full_name)
  values (new.id, new.user_metadata ->> 'full_name'); -- TA103
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""

GOOD = """\
create table public.profiles (id uuid primary key references auth.users on delete cascade, full_name text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, full_name)
  values (new.id, new.raw_user_meta_data ->> 'full_name');
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""

STATES = frozenset({"42703", "42702", "42804", "42809", "42846", "42701", "22P02", "22007"})


def check(audit: Audit) -> Iterator[Finding]:
    yield from complaint_findings(audit, META, STATES, wording)


def wording(audit: Audit, site: Site, complaint: Complaint) -> tuple[str, str, str]:
    why = f"PostgreSQL refuses the statement when it runs ({complaint.sqlstate})."
    state = complaint.sqlstate
    if state == "42702":
        return complaint.message, why, "qualify the column with its table, or give the variable another name"
    if state in ("42804", "42846"):
        return complaint.message, why, complaint.hint or "cast the value to the column's type"
    if state in ("22P02", "22007"):
        return complaint.message, why, "write a value that the type accepts, or add the label to the enum"
    if state == "42701":
        return complaint.message, why, "name each column once"
    field = complaint.name.rpartition(".")[2]
    tables = [site.visit.table] if site.visit.table is not None else []
    relations = [write.target for write in site.statement.writes]
    relations = relations or [read for facts in site.statement.sql for read in facts.reads]
    tables += [
        table
        for relation in relations
        if (table := audit.catalog.table(relation.schema, relation.name, site.visit.search_path)) is not None
    ]
    if '"new"' in complaint.message or '"old"' in complaint.message:
        tables = tables[:1]
    elif len(tables) > 1:
        tables = tables[1:]
    names = [column.name for table in tables for column in table.columns]
    usual = {"user_metadata": "raw_user_meta_data", "app_metadata": "raw_app_meta_data", "user_id": "id"}
    near = [usual[field]] if usual.get(field) in names else get_close_matches(field, names, n=1)
    if not near and tables and all(map(is_auths, tables)):
        return complaint.message, why, _of_auths(field, names)
    fix = f"did you mean {quoted(near[0])}?" if near else f"add the column {field}, or take it out of the function"
    return complaint.message, why, fix


def _of_auths(field: str, names: list[str]) -> str:
    """Auth's tables are not to be altered: a column that is a part of the name, or the one that is most like it."""
    parts = [name for name in names if name in field.split("_")] or get_close_matches(field, names, n=1, cutoff=0.4)
    advice = "take it out of the function: the table is Auth's own, and gets no columns of the project"
    return f"did you mean {quoted(parts[0])}? Otherwise {advice}" if parts else advice
