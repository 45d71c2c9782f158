"""Places in functions and objects, carried over to the files: each is verified by cutting it out of the file's text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import FreshDatabase
from tests.sandbox.placing import cut
from trigger_audit.check.source_map import SourceMap
from trigger_audit.database.connect import connect
from trigger_audit.database.dsn import parse_dsn
from trigger_audit.findings.model import FilePlace, Place
from trigger_audit.opening import TargetInfo, sql_input
from trigger_audit.pipeline import scan
from trigger_audit.plpgsql.source import Source
from trigger_audit.rules.registry import all_rules
from trigger_audit.sandbox.definitions import Definition
from trigger_audit.sandbox.migrations import load_files
from trigger_audit.sandbox.project import SqlFile, read_sql_file
from trigger_audit.smoke.model import FailedStep

Written = Callable[[str], str]
"""How a text's characters are written inside of quotes."""


def one_by_one(forms: dict[str, str]) -> Written:
    return lambda text: "".join(forms.get(character, character) for character in text)


AS_IS = one_by_one({})
DOUBLED = one_by_one({"'": "''"})
ESCAPED = one_by_one(
    {"'": "\\'", "\\": "\\\\", "\n": "\\n", "\t": "\\t", "/": "\\x2f", ":": "\\72", "ü": "\\u00fc", "🙂": "\\U0001F642"}
)
SURROGATES = one_by_one({"'": "''", "\\": "\\134", "\n": "\\\n", "#": "\\#", "🙂": "\\uD83D\\uDE42"})
UNICODE = one_by_one({"'": "''", "\\": "\\\\", "ü": "\\00fc", "🙂": "\\+01F642", "/": "\\002f"})
OWN_ESCAPE = one_by_one({"'": "''", "!": "!!", "ü": "!00fc", "🙂": "!D83D!DE42"})
QUOTES: dict[str, tuple[str, Written, str]] = {
    "dollars": ("$$", AS_IS, "$$"),
    "tagged": ("$Größe_1$", AS_IS, "$Größe_1$"),
    "doubled": ("'", DOUBLED, "'"),
    "escaped": ("E'", ESCAPED, "'"),
    "escaped_pairs": ("e'", SURROGATES, "'"),
    "unicode": ("U&'", UNICODE, "'"),
    "own_escape": ("u&'", OWN_ESCAPE, "' uescape '!'"),
}

FAULT = "insert into public.nosuch (id) values (new.id)"
BODY = f"\nbegin\n\tperform 'ü🙂!/', '\\'::text; -- it's\n  {FAULT}; return new;\nend"


def handler(name: str, literal: str) -> str:
    head = f"create or replace function public.{name}() returns trigger"
    return f"{head} language plpgsql set search_path = ''\n  as {literal}"


def trigger(name: str) -> str:
    return f";\ncreate trigger {name} after insert on auth.users for each row execute function public.{name}();\n"


def handlers() -> dict[str, str]:
    """A file for each way to write a function, the function's name for its name."""
    found = {
        name: f"select $$ü$$; {handler(name, begin + written(BODY) + end)}"
        for name, (begin, written, end) in QUOTES.items()
    }
    dollars = f"$${BODY}$$"
    found["carriage_returns"] = handler("carriage_returns", dollars).replace("\n", "\r\n")
    found["replaced"] = (
        f"{handler('replaced', dollars)};\n\n  {handler('replaced', f'$$ begin {FAULT}; return new; end $$')}"
    )
    found["altered"] = f"{handler('altered', dollars)};\nalter function public.altered() set search_path = '';"
    found['"Quoted Name"'] = handler('"Quoted Name"', dollars)
    found["renamed"] = f"{handler('was', dollars)};\nalter function public.was() rename to renamed"
    found["other_body"] = handler("other_body", dollars).replace("plpgsql", "plpgsql /* as $$ begin end $$ */")
    return {name: text + trigger(name) for name, text in found.items()}


def built() -> dict[str, str]:
    """Functions whose text stands in no constant."""
    execute = (
        "execute format('create function public.%I() returns trigger language plpgsql as %L', name, body || ';end')"
    )
    return {
        "of_a_block": f"do $do$ begin\n  {handler('of_a_block', f'$${BODY}$$')};\nend $do$" + trigger("of_a_block"),
        "of_a_helper": "create function public.make(name text, body text) returns void language plpgsql\n"
        f"  as $$ begin {execute}; end $$;\n  select public.make('of_a_helper',\n  'begin {FAULT}; return new')"
        + trigger("of_a_helper"),
    }


@pytest.fixture
def loaded(fresh_database: FreshDatabase) -> Callable[..., SourceMap]:
    def load(*files: SqlFile) -> SourceMap:
        report = load_files(fresh_database.conninfo(), files)
        assert report.failed == ()
        return SourceMap(report.definitions)

    return load


def test_findings_stand_where_the_files_say_it(
    fresh_database: FreshDatabase, loaded: Callable[..., SourceMap], tmp_path: Path
) -> None:
    marked = tmp_path / "byte_order_mark.sql"
    marked.write_bytes(b"\xef\xbb\xbf" + (handler("marked", f"$${BODY}$$") + trigger("marked")).encode())
    written = handlers()
    rest = {
        "disabled": f"{handler('disabled', '$$ begin return new; end $$')}{trigger('disabled')}"
        "alter table auth.users\n  disable trigger disabled;",
        "owned": "create table public.owned (id int);\n\n  alter table public.owned\n"
        "  add owner uuid constraint owner_fkey references auth.users;",
        "definer": "select 1;\n " + handler("definer", "$$ begin return new; end $$").replace(
            "set search_path = ''", "security definer") + trigger("definer"),
    }  # fmt: skip
    files = [SqlFile(name, text) for name, text in {**written, **built(), **rest}.items()] + [read_sql_file(marked)]
    with connect(parse_dsn(fresh_database.conninfo())) as connection:
        places = loaded(*files)
        result = scan(connection, TargetInfo("sql", "", "", ""), all_rules(), source_map=places)
    texts = {file.path: file.text for file in files}
    refused = {each.object: each for each in result.findings if each.rule == "TA101"}
    for name in (*written, "marked"):
        finding = refused.pop(f"public.{name.strip(chr(34))}()")
        assert finding.place is not None
        assert finding.file_place is not None
        assert finding.place.statement == "public.nosuch"
        assert finding.file_place.file == (str(marked) if name == "marked" else name)
        assert cut(texts[finding.file_place.file], finding.file_place) == finding.place.statement
    whole = {each.object: each.file_place for each in refused.values()}
    whole |= {each.object: each.file_place for each in result.findings if each.rule in ("TA701", "TA118", "TA501")}
    assert {name: place and cut(texts[place.file], place) for name, place in whole.items()} == {
        "public.of_a_block()": built()["of_a_block"].split(";\ncreate trigger")[0],
        "public.of_a_helper()": f"select public.make('of_a_helper',\n  'begin {FAULT}; return new')",
        "auth.users.disabled": "alter table auth.users\n  disable trigger disabled",
        "public.owned.owner_fkey": "add owner uuid constraint owner_fkey references auth.users",
        "public.definer()": rest["definer"].removeprefix("select 1;\n ").split(";\ncreate trigger")[0],
    }


def test_what_a_flow_met(loaded: Callable[..., SourceMap]) -> None:
    text = (
        "create table public.t (id uuid primary key,\n  n int constraint positive check (n > 0));\n"
        "create function public.f() returns int language sql as $$\n\n    select 1 \r\n$$;\n"
        "create function public.atomic() returns int\nbegin atomic select 1; end;"
    )
    places = loaded(SqlFile("a.sql", text))

    def shown(place: FilePlace | None) -> str | None:
        return None if place is None else cut(text, place)

    assert shown(places.of_line("public.f()", 3)) == "select 1"
    assert shown(places.of_line("public.f()", 2)) == ""
    assert shown(places.of_line("public.f()", None)) == shown(places.of_object("public.f()"))
    # No such line, in what the project has: another version of the function, perhaps.
    assert shown(places.of_line("public.f()", 9)) == shown(places.of_object("public.f()"))
    assert shown(places.of_line("public.atomic()", 1)) == "create function public.atomic() returns int\n" + (
        "begin atomic select 1; end"
    )
    assert places.of_line("auth.uid()", 1) is None
    assert places.of_object("auth.users") is None
    step = FailedStep(1, "INSERT auth.users", "23514", "", schema="public", table="t", constraint="positive")
    assert shown(places.of_step(step)) == "n int constraint positive check (n > 0)"
    assert places.of_step(FailedStep(1, "INSERT auth.users", "23505", "")) is None


def test_files_are_named_as_the_user_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "app/supabase/migrations"
    folder.mkdir(parents=True)
    (folder / "1_a.sql").write_text("select 1")
    monkeypatch.chdir(tmp_path)
    assert [file.path for file in sql_input((Path("app"),)).files] == ["app/supabase/migrations/1_a.sql"]
    monkeypatch.chdir(tmp_path / "app")
    assert [file.path for file in sql_input((Path(),)).files] == ["supabase/migrations/1_a.sql"]


@given(
    quotes=st.sampled_from(sorted(QUOTES)),
    body=st.text(alphabet="ab '\"\\\n\r\t$ü🙂!#/:-*", min_size=1, max_size=40).filter(lambda body: "$$" not in body),
    before=st.text(alphabet="x \nü", max_size=12),
    header=st.sampled_from(["", "\n", "cost 100 /* as 'a' */ ", "set x = 'a''b'\r\n", "language E'\\'' "]),
    ends=st.tuples(st.integers(0, 40), st.integers(0, 40)),
)
def test_a_body_is_found_however_it_is_quoted(
    quotes: str, body: str, before: str, header: str, ends: tuple[int, int]
) -> None:
    begin, written, end = QUOTES[quotes]
    if begin == "$$" and body.endswith("$"):
        body += "a"
    statement = f"create function f() {header}as {begin}{written(body)}{end} strict"
    place = FilePlace("", before.count("\n") + 1, len(before) - before.rfind("\n"), 0, 0)
    text = before + statement + "; rest"
    places = SourceMap([Definition("function", "f()", "a.sql", place.line, place.column, statement, body)])
    source = Source(body)
    start, stop = sorted(min(each, len(body)) for each in ends)
    if (start, stop) == (0, 0):
        stop = 1
    found = places.of_place(Place("f()", *source.place(start), *source.place(stop), "", ""))
    assert found is not None
    assert cut(text, found) == written(body[start:stop])
    for number in range(1, source.lines + 1):
        line = places.of_line("f()", number)
        assert line is not None
        assert cut(text, line) == written(source.line(number).strip())
