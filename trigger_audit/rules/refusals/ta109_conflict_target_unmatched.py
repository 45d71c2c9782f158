"""ON CONFLICT names columns that no unique index covers.

What it finds: `on conflict (user_id)` where the table has no unique index on exactly these columns; also a target that
only a partial index would fit, and a constraint name that the table lacks.

Why it hurts: PostgreSQL raises 42P10, `there is no unique or exclusion constraint matching the ON CONFLICT
specification`, when the statement is planned, so on every run. The app user sees "Database error saving new user".

How to mend: add the unique constraint, or name the columns of one that exists.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trigger_audit.catalog.naming import quoted
from trigger_audit.findings.model import Finding, Proof, Severity
from trigger_audit.rules.base import Harm, Meta, is_auths, refusal
from trigger_audit.rules.refusals.targets import written_targets

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit, Conflict
    from trigger_audit.catalog.model import Index, Table

META = Meta(
    code="TA109",
    name="conflict-target-unmatched",
    severity=Severity.ERROR,
    summary="ON CONFLICT target without a matching unique index",
    sqlstate="42P10",
    harm=Harm(flow="signup-email", sqlstate="42P10"),
)

BAD = """\
create table public.profiles (
  id bigint generated always as identity primary key,
  user_id uuid not null references auth.users on delete cascade
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (user_id) values (new.id)
  on conflict (user_id) do nothing; -- TA109
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""

GOOD = """\
create table public.profiles (
  id bigint generated always as identity primary key,
  user_id uuid not null unique references auth.users on delete cascade
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (user_id) values (new.id)
  on conflict (user_id) do nothing;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""


def check(audit: Audit) -> Iterator[Finding]:
    for target in written_targets(audit, ("INSERT",)):
        conflict = target.write.conflict
        if conflict is None:
            continue
        problem = unmatched(target.table, conflict)
        if problem is None:
            continue
        message, state = problem
        unique = [index for index in target.table.indexes if index.unique and index.valid and None not in index.columns]
        offered = "; ".join(shown(index) for index in unique)
        columns = ", ".join(str(column) for column in conflict.columns)
        quoted_columns = ", ".join(quoted(str(column)) for column in conflict.columns)
        fix = "name a constraint that exists"
        if columns and is_auths(target.table):
            fix = "name columns that have a unique index: the table is Auth's own, and gets none of the project"
        elif columns:
            fix = f"alter table {target.table.sql} add unique ({quoted_columns})"
        if partial := partial_on(target.table, conflict):
            fix = f"write on conflict ({quoted_columns}) where {partial}, or {fix}"
        yield refusal(
            META,
            target.site,
            conflict.span,
            message=message,
            why=f"PostgreSQL refuses to plan the statement ({state}).",
            fix=fix + (f"; unique today: {offered}" if offered else ""),
            cause=f"{target.table.name} ({columns or conflict.constraint})",
            proof=Proof.CATALOG,
            sqlstate=state,
        )


def unmatched(table: Table, conflict: Conflict) -> tuple[str, str] | None:
    """(message, SQLSTATE) when no index can serve the target, else None. Expressions are left alone."""
    if conflict.constraint is not None:
        if any(constraint.name == conflict.constraint for constraint in table.constraints):
            return None
        return f'constraint "{conflict.constraint}" for table {table.name} does not exist', "42704"
    if not conflict.columns or None in conflict.columns:
        return None
    if any(serves(index, conflict) for index in table.indexes):
        return None
    columns = ", ".join(str(column) for column in conflict.columns)
    if partial_on(table, conflict):
        return (
            f"the unique index of {table.name} on ({columns}) is partial, and ON CONFLICT does not repeat its WHERE",
            "42P10",
        )
    return f"{table.name} has no unique index on ({columns}) for ON CONFLICT", "42P10"


def partial_on(table: Table, conflict: Conflict) -> str | None:
    """The predicate of a unique index that would serve if the target repeated it."""
    if conflict.predicate is not None:
        return None
    return next((index.predicate for index in table.indexes if index.predicate and fits(index, conflict)), None)


def shown(index: Index) -> str:
    """`(a, b) where (c IS NULL)`."""
    where = "" if index.predicate is None else f" where {index.predicate}"
    return f"({', '.join(str(column) for column in index.columns)}){where}"


def serves(index: Index, conflict: Conflict) -> bool:
    """Whether PostgreSQL infers this index (infer_arbiter_indexes): unique, valid, the same columns in any order.

    A partial index serves only where the target repeats its predicate; whether it is implied is not decided here.
    """
    return fits(index, conflict) and (index.predicate is None or conflict.predicate is not None)


def fits(index: Index, conflict: Conflict) -> bool:
    """Whether it is unique, valid and on the target's columns, its predicate apart."""
    if not index.unique or not index.valid or None in index.columns:
        return False
    return set(index.columns) == set(conflict.columns)
