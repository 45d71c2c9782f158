"""The caller's own metadata decides a role, a tenant or a plan.

What it finds: values from raw_user_meta_data that reach a column which grants something (role, is_admin, tenant_id,
plan ...) without a whitelist that leaves out the privileged values.

Why it hurts: raw_user_meta_data is what the caller of signUp sends in `options.data`, and any signed-in user may change
it. Whoever sends `{"role": "admin"}` becomes admin. Nothing is raised: the sign-up succeeds.

How to mend: write a constant, or map the key through a list without privileged values: `case when
new.raw_user_meta_data ->> 'role' in ('author', 'reader') then ... else 'reader' end`; take real roles from
raw_app_meta_data, which only the service role may write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from trigger_audit.analysis.granting import GRANTING, PRIVILEGED
from trigger_audit.analysis.values import value_of
from trigger_audit.auth.model import Origin
from trigger_audit.findings.model import Finding, Proof, Severity
from trigger_audit.rules.base import Harm, Meta, remark
from trigger_audit.rules.refusals.targets import assigned, written_targets

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit
    from trigger_audit.catalog.model import Column, Table

META = Meta(
    code="TA503",
    name="privilege-from-user-metadata",
    severity=Severity.ERROR,
    summary="raw_user_meta_data flows into role, is_admin, tenant, plan ... columns without a whitelist",
    harm=Harm(flow="signup-email", outcome="altered", payload="admin"),
)

BAD = """\
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  role text not null default 'member'
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, role)
  values (new.id, coalesce(new.raw_user_meta_data ->> 'role', 'member')); -- TA503
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""

GOOD = """\
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  role text not null default 'member'
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, role)
  values (new.id, case when new.raw_user_meta_data ->> 'role' in ('author', 'reader')
                       then new.raw_user_meta_data ->> 'role' else 'member' end);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""


def check(audit: Audit) -> Iterator[Finding]:
    for target in written_targets(audit, ("INSERT", "UPDATE")):
        for column, assignment in assigned(target):
            expression = assignment.value
            if expression is None or not GRANTING.match(column.name.lower()):
                continue
            value = value_of(expression, target.site, audit.catalog)
            if Origin.USER_METADATA not in value.origins or whitelisted(
                audit, target.table, column, value.possible_constants
            ):
                continue
            keys = ", ".join(sorted(value.metadata_keys)) or "raw_user_meta_data"
            name = f"{target.table.name}.{column.name}"
            yield remark(
                META,
                target.site,
                expression.span,
                message=f"the caller's own metadata ({keys}) decides {name}",
                why="Anyone may sign up with the value they like: options.data of signUp becomes raw_user_meta_data. "
                "No error is raised.",
                fix="write a constant or a whitelist without privileged values; take roles from raw_app_meta_data",
                cause=name,
                proof=Proof.DATAFLOW,
            )


def whitelisted(audit: Audit, table: Table, column: Column, constants: frozenset[str] | None) -> bool:
    """Whether code, enum or CHECK confine the value to ones that grant nothing."""
    if constants is not None and not any(PRIVILEGED.search(constant) for constant in constants):
        return True
    kind = audit.catalog.types.get(column.type_oid)
    if kind is not None and kind.kind == "e":
        return not any(PRIVILEGED.search(label) for label in kind.labels)
    for constraint in table.constraints:
        if constraint.kind == "c" and constraint.columns == (column.name,) and confines(constraint.definition):
            return not PRIVILEGED.search(constraint.definition)
    return False


def confines(definition: str) -> bool:
    """Whether a CHECK lists the allowed values: `= ANY (ARRAY['a'::text, 'b'::text])`, as PostgreSQL prints IN."""
    return "= ANY (" in definition or re.search(r"= '[^']*'", definition) is not None
