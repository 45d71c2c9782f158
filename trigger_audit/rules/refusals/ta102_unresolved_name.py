"""A function, operator or type that the body names does not exist under the search path in force.

What it finds: calls, operators and type names (in casts and in DECLARE) that PostgreSQL cannot find. The usual ones
are an enum of schema public in a function with `search_path = ''`, and functions of extensions: pgcrypto and uuid-ossp
live in schema extensions, which even `search_path = public` does not hold.

Why it hurts: PostgreSQL raises 42883, `function gen_random_bytes(integer) does not exist`, or 42704, `type "user_role"
does not exist`. A type in DECLARE fails while PL/pgSQL compiles the function, before any exception handler is entered.
The app user sees "Database error saving new user".

How to mend: write the schema before the name: `extensions.gen_random_bytes(16)`, `public.user_role`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trigger_audit.findings.model import Finding, Severity
from trigger_audit.rules.base import Harm, Meta
from trigger_audit.rules.refusals.complaints import complaint_findings

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit, Complaint, Site

META = Meta(
    code="TA102",
    name="unresolved-name",
    severity=Severity.ERROR,
    summary="function, operator or type not found, extension functions off the path included",
    sqlstate="42883",
    harm=Harm(flow="signup-email", sqlstate="42883"),
)

BAD = """\
create table public.profiles (id uuid primary key references auth.users on delete cascade, invite_code text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = public as $$
begin
  insert into profiles (id, invite_code)
  values (new.id, encode(gen_random_bytes(6), 'hex')); -- TA102
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""

GOOD = """\
create table public.profiles (id uuid primary key references auth.users on delete cascade, invite_code text);

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = public as $$
begin
  insert into profiles (id, invite_code)
  values (new.id, encode(extensions.gen_random_bytes(6), 'hex'));
  return new;
end;
$$;

create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""

STATES = frozenset({"42883", "42704", "42725"})


def check(audit: Audit) -> Iterator[Finding]:
    for finding in complaint_findings(audit, META, STATES, wording):
        # ON CONFLICT ON CONSTRAINT is TA109's, which reads the table's constraints.
        if not finding.message.startswith('constraint "'):
            yield finding


def wording(audit: Audit, site: Site, complaint: Complaint) -> tuple[str, str, str]:
    path = ", ".join(site.visit.search_path) or "pg_catalog only"
    bare = complaint.name.partition("(")[0]
    schemas = sorted(_schemas_that_hold(audit, bare)) if "." not in bare else []
    message = f"{complaint.message} (search_path {path})"
    why = f"PostgreSQL refuses the statement when it runs ({complaint.sqlstate})."
    if schemas:
        return message, why, f"write {schemas[0]}.{bare}: it exists there, but that schema is not on the path"
    return (
        message,
        why,
        complaint.hint or f"create it, correct its name or its argument types, or write its schema: {bare}",
    )


def _schemas_that_hold(audit: Audit, name: str) -> set[str]:
    catalog = audit.catalog
    found = {schema for (schema, function) in catalog.functions_by_name if function == name}
    found |= {kind.schema for kind in catalog.types.values() if kind.name == name and kind.schema != "pg_catalog"}
    known = {"gen_random_bytes", "crypt", "gen_salt", "digest", "hmac", "uuid_generate_v4", "uuid_generate_v1"}
    if not found and name in known:
        found |= {schema for extension, schema in catalog.extensions.items() if extension in ("pgcrypto", "uuid-ossp")}
    return found
