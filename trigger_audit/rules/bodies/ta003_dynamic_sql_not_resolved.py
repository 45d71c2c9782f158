"""EXECUTE runs text that is only known at run time.

What it finds: EXECUTE, FOR ... IN EXECUTE and RETURN QUERY EXECUTE whose text is neither a constant nor put together
from constants.

Why it hurts: nothing by itself. What the statement names and writes is not known here: it counts as not analysed.

How to mend: use a static statement where the names are fixed; pass values with USING.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trigger_audit.analysis.dynamic import unresolved_commands
from trigger_audit.findings.model import Finding, Proof, Severity
from trigger_audit.rules.base import Meta, remark

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit

META = Meta(
    code="TA003",
    name="dynamic-sql-not-resolved",
    severity=Severity.INFO,
    summary="EXECUTE whose text is not a constant or a format() of constants",
)

BAD = """\
create table public.counters_2026 (users bigint not null);

create function public.count_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  execute format('update public.%I set users = users + 1 where true', 'counters_' || extract(year from now())); -- TA003
  return new;
exception when undefined_table then
  raise warning 'no counter for this year';
  return new;
end;
$$;

create trigger count_user after insert on auth.users
  for each row execute function public.count_user();
"""

GOOD = """\
create table public.counters (year int primary key, users bigint not null default 0);

create function public.count_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.counters set users = users + 1 where year = extract(year from new.created_at);
  return new;
end;
$$;

create trigger count_user after insert on auth.users
  for each row execute function public.count_user();
"""


def check(audit: Audit) -> Iterator[Finding]:
    for site in audit.cascade.sites:
        for span in unresolved_commands(site, audit.catalog):
            yield remark(
                META,
                site,
                span,
                message="the text that EXECUTE runs is only known at run time",
                why="What it names and writes is not analysed.",
                fix="write a static statement, or let `trigger-audit smoke` run it",
                cause="dynamic",
                proof=Proof.PATTERN,
            )
