"""An UPDATE or DELETE without WHERE runs with every sign-up.

What it finds: UPDATE and DELETE without a WHERE clause, or with one that is constantly true, in common table
expressions too.

Why it hurts: each sign-up rewrites or empties the whole table: data is lost, every row is locked, and concurrent
sign-ups wait for each other. Nothing is raised.

How to mend: name the rows: `where id = new.id` (`old.id` in a DELETE trigger).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlglot import exp

from trigger_audit.analysis.questions.made import made_names
from trigger_audit.findings.model import Finding, Proof, Severity
from trigger_audit.rules.base import Harm, Meta, remark

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit, Site, Write

META = Meta(
    code="TA401",
    name="unguarded-write",
    severity=Severity.ERROR,
    summary="UPDATE or DELETE without WHERE, in CTEs too",
    harm=Harm(flow="signup-email", outcome="pass"),
)

BAD = """\
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  is_newest boolean not null default false
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.profiles set is_newest = false; -- TA401
  insert into public.profiles (id, is_newest) values (new.id, true);
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""

GOOD = """\
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  is_newest boolean not null default false
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, is_newest) values (new.id, true);
  update public.profiles set is_newest = true where id = new.id;
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""


def check(audit: Audit) -> Iterator[Finding]:
    for site in audit.cascade.sites:
        for write in site.statement.writes:
            if write.kind not in ("UPDATE", "DELETE") or not hits_every_row(write):
                continue
            if is_own_table(audit, site, write):
                continue
            target = ".".join(part for part in (write.target.schema, write.target.name) if part)
            verb = "changes" if write.kind == "UPDATE" else "deletes"
            yield remark(
                META,
                site,
                write.span,
                message=f"{write.kind} without WHERE {verb} every row of {target} each time the trigger fires",
                why="The other users' rows are changed and locked with every event; no error is raised.",
                fix=f"name the rows{example(site)}",
                cause=f"{write.kind} {target}",
                proof=Proof.PATTERN,
            )


def example(site: Site) -> str:
    """A WHERE by the row that the trigger runs for; a helper and a trigger for each statement have none."""
    trigger = site.visit.trigger
    if trigger is None or trigger.level != "ROW":
        return " in WHERE"
    return f", for instance: where id = {'old' if site.visit.event == 'DELETE' else 'new'}.id"


def is_own_table(audit: Audit, site: Site, write: Write) -> bool:
    """A table that the body itself makes, and that is not in the catalog: nobody else's rows are in it."""
    target = write.target
    if site.facts.body is None or audit.catalog.table(target.schema, target.name, site.visit.search_path) is not None:
        return False
    return target.schema == "pg_temp" or target.name in made_names(site.facts.body)


def hits_every_row(write: Write) -> bool:
    if write.where is None:
        return True
    node = write.where.node.unnest()
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    return isinstance(node, exp.EQ) and isinstance(node.this, exp.Literal) and node.this == node.expression
