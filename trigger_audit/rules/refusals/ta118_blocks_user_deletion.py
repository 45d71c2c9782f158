"""A foreign key keeps users from being deleted.

What it finds: foreign keys to auth.users, or to a table that a user's deletion cascades to, without ON DELETE CASCADE
or SET NULL; also SET NULL (or SET DEFAULT without a default) on a NOT NULL column.

Why it hurts: PostgreSQL raises 23503, `update or delete on table "users" violates foreign key constraint`, as soon as
the user has such a row (23502 for SET NULL on NOT NULL). The app user sees "Database error deleting user". This is the
largest family of all reports.

How to mend: drop the constraint and add it again with `on delete cascade`, or with `on delete set null` where the row
shall outlive the user.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlglot import exp

from trigger_audit.catalog.naming import quoted
from trigger_audit.findings.model import Finding, Path, Proof, Severity
from trigger_audit.rules.base import Harm, Meta

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit, Deletion, Write
    from trigger_audit.catalog.model import Constraint

META = Meta(
    code="TA118",
    name="blocks-user-deletion",
    severity=Severity.WARNING,
    summary="foreign key in the deletion closure of auth.users without CASCADE or SET NULL, or SET NULL on NOT NULL",
    sqlstate="23503",
    harm=Harm(flow="delete-user", sqlstate="23503"),
)

BAD = """\
create table public.profiles (
  id uuid primary key references auth.users -- TA118
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

GOOD = """\
create table public.profiles (
  id uuid primary key references auth.users on delete cascade
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

ACTIONS = {
    "a": "no ON DELETE action",
    "r": "ON DELETE RESTRICT",
    "n": "ON DELETE SET NULL",
    "d": "ON DELETE SET DEFAULT",
}


def check(audit: Audit) -> Iterator[Finding]:
    for deletion in audit.cascade.deletions:
        if not removed_before(audit, deletion):
            yield finding(audit, deletion)


def removed_before(audit: Audit, deletion: Deletion) -> bool:
    """Whether a BEFORE DELETE trigger of the referenced table always deletes the rows: `WHERE column = OLD.key`."""
    for site in audit.cascade.sites:
        trigger = site.visit.trigger
        if trigger is None or trigger.timing != "BEFORE" or site.visit.event != "DELETE" or not site.certain:
            continue
        if trigger.table != deletion.constraint.references or site.statement.conditions or site.statement.handlers:
            continue
        for write in site.statement.writes:
            table = audit.catalog.table(write.target.schema, write.target.name, site.visit.search_path)
            if write.kind == "DELETE" and table is deletion.table and matches_key(write, deletion.constraint):
                return True
    return False


def matches_key(write: Write, key: Constraint) -> bool:
    """Whether the WHERE is the key's own condition and no more."""
    if write.where is None or len(key.columns) != 1:
        return False
    node = write.where.node.unnest()
    if not isinstance(node, exp.EQ):
        return False
    sides = [side for side in (node.this.unnest(), node.expression.unnest()) if isinstance(side, exp.Column)]
    old = [side.name.lower() for side in sides if side.table.lower() == "old"]
    own = [side.name for side in sides if side.table.lower() != "old"]
    return own == list(key.columns) and old == list(key.referenced_columns)


def finding(audit: Audit, deletion: Deletion) -> Finding:
    table, constraint = deletion.table, deletion.constraint
    columns = ", ".join(constraint.columns)
    parent = audit.catalog.tables.get(constraint.references) if constraint.references is not None else None
    referenced = parent.name if parent else "?"
    action = ACTIONS.get(constraint.on_delete, "")
    emptied = constraint.on_delete in ("n", "d")
    # RESTRICT has an SQLSTATE of its own since PostgreSQL 18.
    restrict = "23001" if audit.catalog.server_version_num >= 180000 else "23503"
    state = {"n": "23502", "r": restrict}.get(constraint.on_delete, "23503")
    message = (
        f"{table.name} ({columns}) references {referenced} with {action}, and the column is NOT NULL"
        if emptied
        else f"{table.name} ({columns}) references {referenced} with {action}: a user with such a row cannot be deleted"
    )
    deletes_users = deletion.root_table.name == "auth.users"
    why = f"PostgreSQL refuses the deletion ({state})."
    if deletes_users:
        why += ' The app user sees "Database error deleting user" (delete-user).'
    return Finding(
        rule=META.code,
        name=META.name,
        severity=META.severity,
        object=f"{table.name}.{constraint.name}",
        paths=(
            Path(
                table=deletion.root_table.name,
                trigger=None,
                events=("DELETE",),
                via=deletion.way,
                flows=("delete-user",) if deletes_users else (),
            ),
        ),
        place=None,
        message=message,
        why=why,
        fix=f"alter table {table.sql} drop constraint {quoted(constraint.name)}, "
        f"add foreign key ({', '.join(quoted(column) for column in constraint.columns)}) "
        f"references {parent.sql if parent else referenced} on delete cascade",
        proof=Proof.CATALOG,
        sqlstate=state,
        hidden_by=None,
        cause=f"{table.name}.{constraint.name}",
    )
