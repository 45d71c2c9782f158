"""An INSERT leaves out a NOT NULL column that has no default, or gives it NULL outright.

What it finds: INSERTs whose column list lacks a required column, and NULL written for one, in UPDATE too. Most often
the column came with a later migration, or an ORM fills it in the application and not in the database.

Why it hurts: PostgreSQL raises 23502, `null value in column "username" of relation "profiles" violates not-null
constraint`, on every run. The app user sees "Database error saving new user".

How to mend: give the column a default, name it in the INSERT, or drop NOT NULL.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlglot import exp

from trigger_audit.findings.model import Finding, Proof, Severity
from trigger_audit.rules.base import Harm, Meta, is_auths, refusal
from trigger_audit.rules.refusals.targets import Target, assigned, must_not_be_null, nullable, written_targets

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit
    from trigger_audit.catalog.model import Column
    from trigger_audit.plpgsql.tree import Span

META = Meta(
    code="TA106",
    name="not-null-omitted",
    severity=Severity.ERROR,
    summary="NOT NULL column without default left out, or given NULL outright",
    sqlstate="23502",
    harm=Harm(flow="signup-email", sqlstate="23502"),
)

BAD = """\
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  username text not null
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id) values (new.id); -- TA106
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""

GOOD = """\
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  username text not null default ''
);

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
    for target in written_targets(audit, ("INSERT", "UPDATE")):
        if target.write.kind == "INSERT":
            for column in missing(audit, target):
                yield report(target, column, target.write.target.span, given=False)
        for column, assignment in assigned(target):
            value = assignment.value
            outright = value is not None and isinstance(value.node.unnest(), exp.Null)
            empty_default = assignment.is_default and not column.has_default
            if (outright or empty_default) and must_not_be_null(audit, column) and column.name not in target.filled:
                yield report(target, column, value.span if value else assignment.column_span, given=True)


def missing(audit: Audit, target: Target) -> Iterator[Column]:
    """Required columns that the INSERT does not name. A NOT NULL is checked before ON CONFLICT looks for a row."""
    write = target.write
    named = {column.name for column, _ in assigned(target)} if write.columns is None else set(write.columns)
    if write.columns is None and not write.rows and write.where is None and not is_default_values(target):
        return
    for column in target.table.columns:
        if column.name in named or column.has_default or column.name in target.filled:
            continue
        if must_not_be_null(audit, column) and not type_has_default(audit, column):
            yield column


def is_default_values(target: Target) -> bool:
    """INSERT ... DEFAULT VALUES: neither a column list nor rows."""
    body = target.site.facts.body
    return body is not None and "default values" in " ".join(body.source.slice(target.write.span).lower().split())


def type_has_default(audit: Audit, column: Column) -> bool:
    """A domain may bring a default of its own."""
    kind = audit.catalog.types.get(column.type_oid)
    return kind is not None and kind.kind == "d" and kind.default is not None


def report(target: Target, column: Column, span: Span, *, given: bool) -> Finding:
    table, name = target.table.name, column.name
    how = (
        f"NULL is written into {table}.{name}, which is NOT NULL"
        if given
        else (f"{table}.{name} is NOT NULL without a default, and the INSERT leaves it out")
    )
    return refusal(
        META,
        target.site,
        span,
        message=how,
        why="PostgreSQL refuses the row every time (23502).",
        fix="write a value: the table is Auth's own"
        if is_auths(target.table)
        else f"give the column a default, write a value, or: {nullable(target.table, name)}",
        cause=f"{table}.{name}",
        proof=Proof.CATALOG,
    )
