"""The keys of raw_user_meta_data that a cascade reads, in the ways in which functions are written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import FreshDatabase
from trigger_audit.analysis.metadata import MetadataKey, Reference, metadata_keys
from trigger_audit.analysis.wanted import Kind
from trigger_audit.database.connect import connect, read_only
from trigger_audit.database.dsn import parse_dsn
from trigger_audit.pipeline import examine

Keys = dict[str, MetadataKey]

TABLES = """
create type public.level as enum ('low', 'high');
create table public.teams (id uuid primary key, slug text unique);
create table public.people (
  id uuid primary key references auth.users on delete cascade, level public.level, age int, nick varchar(9),
  team uuid references public.teams, extra jsonb, made timestamptz default now()
);
create table public.notes (id bigint generated always as identity primary key, level text, count int);
"""


@pytest.fixture
def keys_of(fresh_database: FreshDatabase) -> Callable[..., Keys]:
    def read(body: str, *, declare: str = "", before: str = "", when: str = "") -> Keys:
        fresh_database.apply(
            f"""{TABLES}{before}
create function public.handle() returns trigger language plpgsql security definer set search_path = public as $f$
declare {declare}
begin {body} return new; end $f$;
create trigger t after insert on auth.users for each row {when} execute function public.handle();
"""
        )
        with connect(parse_dsn(fresh_database.conninfo())) as connection, read_only(connection):
            audit = examine(connection, tables=(), all_tables=False, as_role=None, names=False)
        return {".".join(key.path): key for key in metadata_keys(audit.cascade, audit.catalog)}

    return read


def kinds(key: MetadataKey) -> set[str]:
    return {wanted.kind.value for wanted in key.wanted}


def test_operators_functions_and_subscripts(keys_of: Callable[..., Keys]) -> None:
    found = keys_of(
        """
        perform new.raw_user_meta_data ->> 'a', meta -> 'b' ->> 'c', meta #>> '{d,e}', meta['f'],
          jsonb_extract_path_text(meta, 'g', 'h'), meta #> array['i'], (new).raw_user_meta_data -> 'j',
          upper(trim(coalesce(meta ->> 'k', 'x'))), length(meta -> 'l' ->> 'm');
        if meta ? 'n' or meta ?| array['o', 'p'] then null; end if;
        perform meta ->> new.email;
        """,
        declare="meta jsonb := new.raw_user_meta_data;",
    )
    assert set(found) == {"a", "b", "b.c", "d.e", "f", "g.h", "i", "j", "k", "l.m", "n", "o", "p"}
    assert found["k"].choices == ("x",)


def test_types_of_casts_variables_and_columns(keys_of: Callable[..., Keys]) -> None:
    found = keys_of(
        """
        v := meta ->> 'a'; w := meta ->> 'b'; r.nick := meta ->> 'c'; x := meta ->> 'k';
        select (meta ->> 'd')::uuid, meta ->> 'e' into u, q;
        insert into people (id, age, team, extra)
          values (new.id, (meta ->> 'f')::int, (meta ->> 'g')::uuid, meta -> 'h');
        update people set nick = lower(meta ->> 'i') where id = new.id;
        insert into notes values (default, 'x', case when true then (meta ->> 'j')::int end);
        perform to_date(meta ->> 'l', 'YYYY-MM-DD'), jsonb_array_length(meta -> 'm');
        """,
        declare="meta jsonb := new.raw_user_meta_data; v level; w people.age%type; r people%rowtype; u uuid; q date;"
        " x varchar(4);",
    )
    assert {name: kinds(key) for name, key in found.items()} == {
        "a": {"enum"}, "b": {"integer"}, "c": {"text"}, "d": {"uuid"}, "e": {"date"}, "f": {"integer"}, "g": {"uuid"},
        "h": {"json"}, "i": {"text"}, "j": {"integer"}, "k": {"text"}, "l": {"date"}, "m": {"list"},
    }  # fmt: skip
    assert found["a"].wanted[0].labels == ("low", "high")
    assert [wanted.length for wanted in (*found["c"].wanted, *found["i"].wanted, *found["k"].wanted)] == [9, 9, 4]
    assert found["g"].references == (Reference("public", "teams", "id"),)
    assert found["f"].columns == (("public.people", "age"),)


def test_literals_that_code_compares_with(keys_of: Callable[..., Keys]) -> None:
    found = keys_of(
        """
        if meta ->> 'a' = 'owner' or 'guest' = meta ->> 'a' then null; end if;
        if meta ->> 'b' not in ('x', 'y') then raise exception 'no'; end if;
        if meta ->> 'c' = any (array['m', 'n']) then null; end if;
        if (meta ->> 'd')::int >= 18 or (meta ->> 'd')::int > 20 then null; end if;
        case meta ->> 'e' when 'p', 'q' then null; when 'r' then null; else null; end case;
        perform case meta ->> 'f' when 's' then 1 end;
        """,
        declare="meta jsonb := new.raw_user_meta_data;",
    )
    assert {name: key.choices for name, key in found.items()} == {
        "a": ("owner", "guest"), "b": ("x", "y"), "c": ("m", "n"), "d": ("18", "21"), "e": ("p", "q", "r"), "f": ("s",),
    }  # fmt: skip


def test_helpers_get_the_document_or_a_value(keys_of: Callable[..., Keys]) -> None:
    found = keys_of(
        "perform one(new.raw_user_meta_data); perform two(p => new.raw_user_meta_data ->> 'a'); perform three(meta);"
        " perform public.four(meta -> 'd');",
        declare="meta jsonb := new.raw_user_meta_data;",
        before="""
create function public.one(m jsonb) returns int language plpgsql as $$ begin return (m ->> 'b')::int; end $$;
create function public.two(p text) returns level language sql as $$ select p::public.level $$;
create function public.three(jsonb) returns uuid language sql as $$ select ($1 ->> 'c')::uuid $$;
create function public.four(m jsonb) returns date language plpgsql as $$ begin return m ->> 'e'; end $$;
""",
    )
    assert {name: kinds(key) for name, key in found.items() if key.wanted} == {
        "a": {"enum"},
        "b": {"integer"},
        "c": {"uuid"},
    }
    assert "d.e" in found


def test_records_made_of_the_document(keys_of: Callable[..., Keys]) -> None:
    found = keys_of(
        """
        insert into people (id, age, level)
          select new.id, x.a, x.b::level from jsonb_to_record(new.raw_user_meta_data) as x(a int, b text);
        select * into r from jsonb_populate_record(null::people, new.raw_user_meta_data -> 'person');
        """,
        declare="r people;",
    )
    assert {name: kinds(key) for name, key in found.items() if "." not in name and key.wanted} == {
        "a": {"integer"},
        "b": {"text", "enum"},
    }
    # Not the primary key, not the foreign key.
    assert {name for name in found if "." in name} == {f"person.{column}" for column in
                                                       ("level", "age", "nick", "extra", "made")}  # fmt: skip
    assert kinds(found["person.level"]) == {"enum"}


def test_triggers_on_written_tables_and_when_clauses(keys_of: Callable[..., Keys]) -> None:
    found = keys_of(
        "insert into notes (level) values (new.raw_user_meta_data ->> 'a');",
        before="""
create function public.deeper() returns trigger language plpgsql security definer set search_path = public as $$
begin update people set level = new.level::public.level; return null; end $$;
create trigger deeper after insert on public.notes for each row execute function public.deeper();
""",
        when="when (new.raw_user_meta_data ->> 'kind' = 'person')",
    )
    assert kinds(found["a"]) == {"text", "enum"}
    assert found["kind"].choices == ("person",)


def test_a_row_that_is_looked_for_is_told_from_a_value_that_is_compared(keys_of: Callable[..., Keys]) -> None:
    found = keys_of(
        """
        select id into t from teams where slug = lower(meta ->> 'a');
        perform 1 from teams where slug in (select meta ->> 'b');
        if exists (select 1 from teams s where s.slug = meta ->> 'c') then null; end if;
        if meta ->> 'd' = new.email then null; end if;
        """,
        declare="meta jsonb := new.raw_user_meta_data; t uuid;",
    )
    assert {name: key.looked_up for name, key in found.items() if key.looked_up} == {
        "a": ("public.teams",),
        "c": ("public.teams",),
    }
    assert found["d"].wanted == ()


def test_app_metadata_and_other_documents_are_none_of_them(keys_of: Callable[..., Keys]) -> None:
    found = keys_of(
        "perform new.raw_app_meta_data ->> 'a', other ->> 'b', to_jsonb(new) ->> 'email';",
        declare="""other jsonb := '{"b": 1}';""",
    )
    assert found == {}


def test_deep_and_strange_texts_end(keys_of: Callable[..., Keys]) -> None:
    deep = "(" * 60 + "new.raw_user_meta_data ->> 'a'" + ")" * 60
    found = keys_of(
        f"""perform {deep}, new.raw_user_meta_data ->> 'it''s "odd" \u202e', new.raw_user_meta_data ->> '';"""
    )
    assert set(found) == {"a", 'it\'s "odd" \u202e', ""}
    assert Kind.TEXT not in {wanted.kind for key in found.values() for wanted in key.wanted}
