"""A value that some sign-ups leave NULL goes into a NOT NULL column.

What it finds: metadata keys that the app, the dashboard, an invitation or a provider does not send; `new.email`, which
is NULL for phone and anonymous users; look-ups that may find no row; `auth.uid()`, which is NULL when Auth fires the
trigger. It knows what each flow of Auth writes, and which tests in the function rule NULL out.

Why it hurts: PostgreSQL raises 23502, `null value in column "full_name" of relation "profiles" violates not-null
constraint`, in just those flows, so it passes the developer's own test. The app user sees "Database error saving new
user"; an anonymous one "Database error creating anonymous user".

How to mend: `coalesce(new.raw_user_meta_data ->> 'full_name', '')`, or drop NOT NULL from the column.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from trigger_audit.analysis.terms import LOOKUP
from trigger_audit.analysis.values import value_of
from trigger_audit.findings.model import Finding, Proof, Severity
from trigger_audit.rules.base import Harm, Meta, is_auths, refusal
from trigger_audit.rules.refusals.targets import assigned, must_not_be_null, nullable, written_targets

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit

META = Meta(
    code="TA107",
    name="nullable-into-not-null",
    severity=Severity.ERROR,
    summary="value that some flow leaves NULL (metadata key, e-mail, phone, lookup, auth.uid()) into NOT NULL",
    sqlstate="23502",
    harm=Harm(flow="signup-email", sqlstate="23502"),
)

BAD = """\
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  full_name text not null
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, full_name)
  values (new.id, new.raw_user_meta_data ->> 'full_name'); -- TA107
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""

GOOD = """\
create table public.profiles (
  id uuid primary key references auth.users on delete cascade,
  full_name text not null
);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, full_name)
  values (new.id, coalesce(new.raw_user_meta_data ->> 'full_name', ''));
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""


def check(audit: Audit) -> Iterator[Finding]:
    for target in written_targets(audit, ("INSERT", "UPDATE")):
        site = target.site
        for column, assignment in assigned(target):
            expression = assignment.value
            if expression is None or column.name in target.filled or not must_not_be_null(audit, column):
                continue
            if isinstance(expression.node.unnest(), exp.Null):
                continue
            value = value_of(expression, site, audit.catalog)
            firings = tuple(firing for firing in site.firings if firing.flow in value.null_in)
            if not firings and not (value.always_null and not site.firings):
                continue
            name = f"{target.table.name}.{column.name}"
            flows = sorted({firing.flow for firing in firings if not firing.latent}) or sorted(
                {firing.flow for firing in firings}
            )
            when = f" in {', '.join(flows[:4])}{' and more' if len(flows) > 4 else ''}" if flows else ""
            subject = "the value" if value.null_reason == "NULL" else value.null_reason
            # Whether the row that a look-up wants is there depends on the project's data, not on the flow.
            meta = replace(META, severity=Severity.WARNING) if value.null_reason == LOOKUP else META
            yield refusal(
                meta,
                site,
                expression.span,
                message=f"{subject} can be NULL, and {name} is NOT NULL",
                why=f"PostgreSQL refuses the row (23502){when}.",
                fix=f"coalesce({expression.text}, <fallback>)"
                + ("" if is_auths(target.table) else f", or: {nullable(target.table, column.name)}"),
                cause=name,
                proof=Proof.DATAFLOW,
                firings=firings,
            )
