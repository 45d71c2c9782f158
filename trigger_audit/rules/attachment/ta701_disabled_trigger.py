"""A trigger on an audited table is disabled, or fires only in replication.

What it finds: triggers that are DISABLED, ENABLE REPLICA (silent in an ordinary session) or ENABLE ALWAYS (firing even
where replication applies changes).

Why it hurts: a disabled sign-up handler raises nothing: users are created, and their profile rows are missing. Somebody
may have switched it off to get sign-ups going again.

How to mend: drop the trigger, or create it anew: a new one is enabled. `alter table ... enable trigger` does it too,
where you own the table; hosted, nobody owns `auth.users` but Auth.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trigger_audit.catalog.naming import quoted
from trigger_audit.findings.model import Finding, Path, Proof, Severity
from trigger_audit.rules.base import Meta, is_auths

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit
    from trigger_audit.catalog.model import Table, Trigger

META = Meta(
    code="TA701",
    name="disabled-trigger",
    severity=Severity.INFO,
    summary="disabled, or replica/always",
)

BAD = """\
create table public.orders (
  id bigint generated always as identity primary key,
  user_id uuid references auth.users on delete cascade
);
create table public.profiles (id uuid primary key references auth.users on delete cascade);

create function public.note_order() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  return null;
end;
$$;

create trigger note_order after insert on public.orders -- TA701
  for each row execute function public.note_order();
alter table public.orders disable trigger note_order;

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.orders (user_id) values (new.id);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""

GOOD = BAD.replace("alter table public.orders disable trigger note_order;\n", "").replace(" -- TA701", "")

MEANING = {
    "disabled": "is disabled: it never fires",
    "replica": "fires only where replication applies changes, never for Auth",
    "always": "fires in replication too",
}


def check(audit: Audit) -> Iterator[Finding]:
    reached = {table.oid for table in audit.tables}
    for site in audit.cascade.sites:
        for write in site.statement.writes:
            table = audit.catalog.table(write.target.schema, write.target.name, site.visit.search_path)
            if table is not None:
                reached.add(table.oid)
    for trigger in audit.catalog.triggers:
        if trigger.table in reached and trigger.enabled != "origin":
            yield finding(audit, audit.catalog.tables[trigger.table], trigger)


def finding(audit: Audit, table: Table, trigger: Trigger) -> Finding:
    name = audit.catalog.trigger_name(trigger)
    return Finding(
        rule=META.code,
        name=META.name,
        severity=META.severity,
        object=name,
        paths=(Path(table=table.name, trigger=trigger.name, events=trigger.events, via=(name,), flows=()),),
        place=None,
        message=f"{name} {MEANING[trigger.enabled]}",
        why="A handler that is switched off raises nothing; what it would write is missing."
        if not trigger.fires
        else "It also runs where its effects arrive by replication, so they may be written twice.",
        fix="drop the trigger, or create it anew: a new one is enabled, and only its owner may alter Auth's table"
        if is_auths(table)
        else f"alter table {table.sql} enable trigger {quoted(trigger.name)}, or drop the trigger",
        proof=Proof.CATALOG,
        sqlstate=None,
        hidden_by=None,
        cause=trigger.enabled,
    )
