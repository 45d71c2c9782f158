"""The cascade writes its own table and fires itself again, without end.

What it finds: a trigger function that updates (or inserts into) the very table its trigger stands on, so that the same
trigger fires again, where no guard stops it: no column list, no WHEN clause, no test of OLD against NEW, no
pg_trigger_depth().

Why it hurts: PostgreSQL raises 54001, `stack depth limit exceeded`. A trigger AFTER UPDATE on auth.users does not fire
for the INSERT, but Auth updates the row in the same sign-up: the app user sees "Database error updating user".

How to mend: assign `new.column := ...` in a BEFORE trigger instead of an UPDATE; or list the columns
(`update of email`), or add `when (old.email is distinct from new.email)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trigger_audit.findings.model import Finding, Proof, Severity
from trigger_audit.rules.base import Harm, Meta, refusal

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit

META = Meta(
    code="TA403",
    name="recursive-write",
    severity=Severity.ERROR,
    summary="the cascade writes its own table and re-fires itself, no guard",
    sqlstate="54001",
    harm=Harm(flow="signup-email", sqlstate="54001"),
)

BAD = """\
create function public.touch_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update auth.users set updated_at = now() where id = new.id; -- TA403
  return new;
end;
$$;

create trigger touch_user after update on auth.users
  for each row execute function public.touch_user();
"""

GOOD = """\
create function public.touch_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  new.updated_at := now();
  return new;
end;
$$;

create trigger touch_user before update on auth.users
  for each row execute function public.touch_user();
"""


def check(audit: Audit) -> Iterator[Finding]:
    for recursion in audit.cascade.recursions:
        if recursion.guarded or len(set(recursion.tables)) != 1:
            continue
        target = recursion.tables[0]
        yield refusal(
            META,
            recursion.site,
            recursion.write.span,
            message=f"{recursion.write.kind} on {target} fires {recursion.trigger.name} again, which runs it again",
            why=f"The cycle {' -> '.join(recursion.cycle)} has no guard; PostgreSQL gives up with 54001.",
            fix="assign to new in a BEFORE trigger, or add `when (old.x is distinct from new.x)` on what counts",
            cause=" -> ".join(recursion.cycle),
            proof=Proof.DATAFLOW,
        )
