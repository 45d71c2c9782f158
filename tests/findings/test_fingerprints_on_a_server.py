"""Fingerprints from a scan: the same for the same faults, however the migrations are laid out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest

from tests.conftest import FreshDatabase
from tests.rules.judging import judged_case

TABLES = """
create table public.profiles (id uuid primary key, full_name text not null, "Nick" text not null);
create table public.audit_log (id bigint generated always as identity, user_id uuid, what text);
"""
# Ten faults of nine rules, one of them twice in the very same words.
FUNCTION = """
create function public.handle_new_user() returns trigger
language plpgsql security definer as $$
declare
  nick text := upper(new.raw_user_meta_data ->> 'nick');
begin
  insert into public.profiles (id, full_name, "Nick") values (new.id, new.raw_user_meta_data ->> 'name', 'x');
  insert into public.profiles (id, full_name, "Nick") values (new.id, new.raw_user_meta_data ->> 'name', 'x');
  insert into public.profiles (id) values (new.id);
  insert into public.audit_log (user_id, what) values (new.id, 'it''s a sign-up');
  delete from public.audit_log;
  perform missing_function(nick);
  insert into missing_table (id) values (new.id);
  begin
    update public.audit_log set what = nick where user_id = new.id;
  exception when others then
    null;
  end;
  execute $q$
    delete from public.$q$ || nick || $q$
      where true
  $q$;
  return new;
end;
$$;
"""
TRIGGER = """
create trigger on_auth_user_created after insert on auth.users
  for each row execute function public.handle_new_user();
"""


def indented(function: str) -> str:
    return re.sub(r"^( +)", r"\1\1\1", function, flags=re.MULTILINE)


def shouted(function: str) -> str:
    """Letters outside quotes in upper case, but those of names that are told apart by it."""
    pieces = re.split(r"('(?:[^']|'')*'|\"[^\"]*\"|\$q\$.*?\$q\$|\$\$)", function, flags=re.DOTALL)
    return "".join(piece if number % 2 else piece.upper() for number, piece in enumerate(pieces))


def commented(function: str) -> str:
    text = re.sub(r"^begin$", "-- it's begun\n/* here /* and */ now */\nbegin", function, count=1, flags=re.MULTILINE)
    return text.replace(" values (new", " /* as\n they come */ values ( -- so\n new").replace("nick)", "nick /* n */)")


def spread(function: str) -> str:
    return re.sub(r"([(,]|->>) ?", "\\1\n          ", function)


def quoted_otherwise(function: str) -> str:
    changed = function.replace("$q$", "$other$").replace("'it''s a sign-up'", "$$it's a sign-up$$")
    changed = changed.replace("as $$\n", "as $body$\n").replace("\n$$;", "\n$body$;")
    return changed.replace("into public.profiles", 'into "public"."profiles"')


def dotted(function: str) -> str:
    return function.replace("\n", "\r\n")


def fingerprints(database: FreshDatabase, sql: str) -> Counter[tuple[str, str]]:
    database.apply(sql)
    return Counter((finding.rule, finding.fingerprint) for finding in judged_case(database)[1])


def test_they_survive_every_layout(fresh_database: FreshDatabase) -> None:
    before = fingerprints(fresh_database, TABLES + FUNCTION + TRIGGER)
    rules = {rule for rule, _ in before}
    assert {"TA003", "TA101", "TA102", "TA106", "TA107", "TA301", "TA302", "TA401"} <= rules
    assert max(before.values()) == 2
    again = FUNCTION.replace("create function", "create or replace function")
    layouts: tuple[Callable[[str], str], ...] = (indented, shouted, commented, spread, quoted_otherwise, dotted)
    for layout in layouts:
        changed = layout(again)
        assert changed != again
        # A function more in front of it, and every line moves.
        other = "create or replace function public.other() returns int language sql as 'select 1';\n\n\n"
        assert fingerprints(fresh_database, other + changed) == before, layout.__name__


@pytest.mark.parametrize(
    ("old", "new", "gone"),
    [
        ("'name', 'x');\n", "'name2', 'x');\n", 2),
        ("missing_table", "another_table", 1),
        ("nick", "nick_name", 1),  # a renamed variable: what is found about an expression that names it is new
    ],
)
def test_another_fault_has_another_one(old: str, new: str, gone: int, fresh_database: FreshDatabase) -> None:
    before = fingerprints(fresh_database, TABLES + FUNCTION + TRIGGER)
    again = FUNCTION.replace("create function", "create or replace function")
    changed = re.sub(rf"(?<!'){re.escape(old)}", new, again)
    after = fingerprints(fresh_database, changed)
    assert sum((before - after).values()) == sum((after - before).values()) == gone
