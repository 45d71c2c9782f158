"""Which part of a statement says a constraint, asked with what the server makes of the statement."""

from __future__ import annotations

from tests.conftest import FreshDatabase
from tests.sandbox.placing import cut
from trigger_audit.check.source_map import SourceMap
from trigger_audit.sandbox.migrations import load_files
from trigger_audit.sandbox.project import SqlFile

TEXT = """create table public.t (
  id bigint generated always as identity primary key,
  n numeric(10, 2) default round(1.5, 1) check (n > 0), -- a comment, with a comma
  "User Id" uuid not null references auth.users (id) on delete cascade,
  other uuid, constraint of_both unique (id, other), foreign key (id, other)
    references public.t (id, other),
  check (n > id), unique (n)
);
create table public.u as select 1 as a, 2 as b;
alter table only public.u
  add column c uuid references auth.users,
  add if not exists d int constraint positive check (d > 0),
  add constraint a_key unique (a), add primary key (b), alter a set not null;
do $$ begin alter table public.u add constraint of_block check (a > 0); end $$;
create table public.twice (a uuid references auth.users references auth.users);
"""
WHOLE = TEXT.split(";\n")[0]
EXPECTED = {
    "t.t_pkey": "id bigint generated always as identity primary key",
    "t.t_n_check": "n numeric(10, 2) default round(1.5, 1) check (n > 0)",
    "t.t_User Id_fkey": '"User Id" uuid not null references auth.users (id) on delete cascade',
    "t.of_both": "constraint of_both unique (id, other)",
    "t.t_id_other_fkey": "foreign key (id, other)\n    references public.t (id, other)",
    "t.t_n_key": "unique (n)",
    "t.t_check": WHOLE,  # over no column that is named before it
    "u.u_c_fkey": "add column c uuid references auth.users",
    "u.positive": "add if not exists d int constraint positive check (d > 0)",
    "u.a_key": "add constraint a_key unique (a)",
    "u.u_pkey": "add primary key (b)",
    "u.of_block": "do $$ begin alter table public.u add constraint of_block check (a > 0); end $$",
    "twice.twice_a_fkey": "a uuid references auth.users references auth.users",
    "twice.twice_a_fkey1": "a uuid references auth.users references auth.users",
}


def test_the_part_that_says_it(fresh_database: FreshDatabase) -> None:
    report = load_files(fresh_database.conninfo(), [SqlFile("a.sql", TEXT)])
    assert report.failed == ()
    places = SourceMap(report.definitions)
    names = [each.name.removeprefix("public.") for each in report.definitions if each.kind == "constraint"]
    found = {name: places.of_object(f"public.{name}") for name in names}
    assert {name: place and cut(TEXT, place) for name, place in found.items()} == EXPECTED
