"""Bodies as flat lists, and values that go through variables."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.analysis.sites import CATALOG, function_of, site_of
from trigger_audit.analysis.bodies import read_body
from trigger_audit.analysis.model import BodyFacts, StatementFacts
from trigger_audit.analysis.values import Value, value_of

BODY = """
DECLARE
  v_name text := coalesce(NEW.raw_user_meta_data ->> 'name', '');
  "V Role" text;
  c CURSOR (k int) FOR SELECT * FROM public.a WHERE id = k;
  other ALIAS FOR v_name;
BEGIN
  IF NEW.email IS NULL THEN
    RETURN NEW;
  ELSIF NEW.phone = '1' THEN
    PERFORM public.first(NEW.id);
  END IF;
  "V Role" := 'x';
  FOR i IN 1 .. 3 LOOP
    BEGIN
      INSERT INTO public.log (a) VALUES (i);
    EXCEPTION
      WHEN unique_violation OR sqlstate '23514' THEN
        RAISE WARNING 'no %', SQLERRM USING hint = 'h';
      WHEN others THEN
        UPDATE public.log SET a = 2;
    END;
  END LOOP;
  OPEN c(k := 7);
  RETURN NEW;
END;
"""


def read(source: str, language: str = "plpgsql") -> BodyFacts:
    return read_body(function_of(source, language))


def kinds(facts: BodyFacts) -> list[str]:
    return [type(entry.statement).__name__ for entry in facts.statements]


def find(facts: BodyFacts, text: str) -> StatementFacts:
    """The innermost statement whose text begins so."""
    assert facts.body is not None
    source = facts.body.source
    return next(entry for entry in facts.statements if source.slice(entry.span).startswith(text))


def conditions(entry: StatementFacts) -> list[tuple[str, bool]]:
    return [(condition.expression.fragment.text, condition.holds) for condition in entry.conditions]


def test_statements_come_in_the_order_of_the_text() -> None:
    facts = read(BODY)
    assert facts.problem is None
    starts = [entry.span.start for entry in facts.statements]
    assert starts == sorted(starts)
    assert kinds(facts) == [
        "Declaration", "Declaration", "CursorDeclaration", "If", "Return", "Perform", "Assign", "ForInteger", "Block",
        "Sql", "Raise", "Sql", "Open", "Return",
    ]  # fmt: skip


def test_each_statement_has_its_own_sql_alone() -> None:
    facts = read(BODY)
    texts = {
        type(entry.statement).__name__: [read.fragment.text for read in entry.sql]
        for entry in reversed(facts.statements)
    }
    assert texts["If"] == ["NEW.email IS NULL", "NEW.phone = '1'"]
    assert texts["ForInteger"] == ["1", "3"]
    assert texts["Block"] == []
    assert texts["Raise"] == ["SQLERRM", "'h'"]
    assert texts["Open"] == ["7"]
    assert texts["CursorDeclaration"] == ["SELECT * FROM public.a WHERE id = k"]
    assert all(read.problem is None for entry in facts.statements for read in entry.sql)


def test_conditions_handlers_and_loops_around_a_statement() -> None:
    facts = read(BODY)
    insert = find(facts, "INSERT")
    passed = [("NEW.email IS NULL", False)]
    assert conditions(find(facts, "PERFORM")) == [*passed, ("NEW.phone = '1'", True)]
    assert conditions(insert) == passed
    assert [handler.conditions for handler in insert.handlers] == [("unique_violation", "sqlstate 23514"), ("others",)]
    assert (insert.in_handler, insert.loop_depth) == (False, 1)
    update = find(facts, "UPDATE")
    assert (update.in_handler, update.handlers, update.loop_depth) == (True, (), 1)
    assert find(facts, "OPEN").loop_depth == 0


def test_places_are_places_of_the_body() -> None:
    facts = read(BODY)
    assert facts.body is not None
    source = facts.body.source
    for entry in facts.statements:
        for sql in entry.sql:
            assert source.slice(sql.fragment.span) in (sql.fragment.text, "PERFORM public.first(NEW.id)")
            for call in sql.calls:
                assert source.slice(call.span).split(".")[-1] == call.name
            for write in sql.writes:
                assert source.slice(write.target.span) == f"{write.target.schema}.{write.target.name}"


def test_variables_assigned_exactly_once() -> None:
    source = """
    DECLARE a text := 'x'; b text; c text; d text; e record; f text := 'y'; g int[]; h text; i text;
    BEGIN
      b := 'once';
      c := 'one'; c := 'two';
      SELECT q INTO d FROM public.t;
      FOR e IN SELECT 1 LOOP NULL; END LOOP;
      f := 'again';
      g[1] := 2;
      CALL public.p(h);
      DECLARE i text := 'inner'; BEGIN NULL; END;
      p_arg := 'new';
      NEW.email := lower(NEW.email);
      RETURN NEW;
    END;
    """
    facts = read_body(function_of(source, arguments=(("p_arg", 25),)))
    known = {name: value.text if value is not None else None for name, value in facts.assignments.items()}
    assert known == {"a": "'x'", "b": "'once'", "d": None, "e": None, "g": None, "new": None}


def test_sql_functions_are_lists_of_statements() -> None:
    facts = read("INSERT INTO public.t (a) VALUES ('x;y'); SELECT public.f($1);", "sql")
    assert kinds(facts) == ["Sql", "Sql"]
    assert [write.target.name for entry in facts.statements for write in entry.writes] == ["t"]
    atomic = read("BEGIN ATOMIC\n INSERT INTO public.t (a) VALUES (1);\n RETURN lower('x');\nEND", "sql")
    assert [read.is_expression for entry in atomic.statements for read in entry.sql] == [False, True]
    assert all(read.problem is None for entry in atomic.statements for read in entry.sql)


def test_what_is_no_body_of_ours() -> None:
    broken = read("BEGIN IF x THEN RETURN NEW; END;")
    assert broken.body is None
    assert broken.problem is not None
    assert broken.statements == ()
    foreign = read("def f(): pass", "plpython3u")
    assert (foreign.body, foreign.problem, foreign.statements) == (None, None, ())


def test_one_unreadable_statement_leaves_the_others() -> None:
    facts = read("BEGIN UPDATE public.t SET a = ; DELETE FROM public.t; RETURN NEW; END;")
    assert [bool(sql.problem) for entry in facts.statements for sql in entry.sql] == [True, False, False]


@given(st.text(max_size=80), st.sampled_from(["plpgsql", "sql"]))
def test_any_text_gives_facts(text: str, language: str) -> None:
    facts = read(text, language)
    assert (facts.body is None) == (facts.problem is not None)


def test_a_long_body_is_read() -> None:
    lines = [
        f"  INSERT INTO public.log (a, b) VALUES ({number}, NEW.raw_user_meta_data ->> 'k{number}');"
        for number in range(3000)
    ]
    facts = read("BEGIN\n" + "\n".join(lines) + "\nRETURN NEW;\nEND;")
    assert len(facts.statements) == 3001


# -- values through variables


def written(source: str, column: str = "b") -> Value:
    """What is known of the value that the body's INSERT gives a column."""
    facts = read(dedent(source))
    assert facts.problem is None
    (entry,) = [entry for entry in facts.statements if any(write.kind == "INSERT" for write in entry.writes)]
    (assignment,) = [a for row in entry.writes[0].rows for a in row if a.column == column]
    assert assignment.value is not None
    return value_of(assignment.value, site_of(facts, entry), CATALOG)


INSERT = "INSERT INTO public.t (a, b) VALUES (NEW.id, v);"


@pytest.mark.parametrize(
    ("declared", "before", "reason"),
    [
        ("v text := NEW.raw_user_meta_data ->> 'k';", "", "the metadata key k"),
        ("v text;", "v := NEW.raw_user_meta_data ->> 'k';", "the metadata key k"),
        ("m jsonb := NEW.raw_user_meta_data; v text := m ->> 'k';", "", "the metadata key k"),
        ("m jsonb := coalesce(NEW.raw_user_meta_data, '{}'::jsonb); v text := m ->> 'k';", "", "the metadata key k"),
        ("v text;", "SELECT NEW.raw_user_meta_data ->> 'k' INTO v;", "the metadata key k"),
        ("v uuid;", "SELECT id INTO v FROM public.plans WHERE name = 'free';", "a look-up that may find no row"),
        ("v uuid := (SELECT id FROM public.plans LIMIT 1);", "", "a look-up that may find no row"),
        ("v uuid;", "v := auth.uid();", "auth.uid()"),
        ("v text := NEW.email;", "IF NEW.phone = '1' THEN NULL; END IF;", "NEW.email"),
        # silent
        ("v text := coalesce(NEW.raw_user_meta_data ->> 'k', 'x');", "", ""),
        ("v text := NEW.email;", "IF v IS NULL THEN RETURN NEW; END IF;", ""),
        ("v text := NEW.email;", "IF NEW.email IS NULL THEN RAISE EXCEPTION 'no'; END IF;", ""),
        ("v text := NEW.email;", "IF v IS NULL THEN v := 'x'; END IF;", ""),
        ("v text;", "IF NEW.phone IS NULL THEN v := NEW.email; END IF;", ""),
        ("v text;", "BEGIN v := NEW.email; EXCEPTION WHEN others THEN NULL; END;", ""),
        ("v int;", "SELECT count(*) INTO v FROM public.plans;", ""),
        ("v uuid;", "SELECT id INTO STRICT v FROM public.plans;", ""),
        ("v uuid;", "SELECT id INTO v FROM public.plans; IF NOT FOUND THEN RETURN NEW; END IF;", ""),
        ("v uuid;", "SELECT id INTO v FROM public.plans; IF v IS NULL THEN RETURN NEW; END IF;", ""),
        ("v uuid;", "INSERT_RETURNING", ""),
        ("v text := v;", "", ""),
        ("r record; v text;", "SELECT * INTO r FROM public.plans; v := r.name;", ""),
        ("v text;", "NEW.email := coalesce(NEW.email, 'x'); v := NEW.email;", ""),
        ("v text;", "EXECUTE 'SELECT 1' INTO v;", ""),
    ],
)
def test_values_through_variables(declared: str, before: str, reason: str) -> None:
    before = before.replace("INSERT_RETURNING", "UPDATE public.s SET a = 1 WHERE id = NEW.id RETURNING id INTO v;")
    found = written(f"DECLARE {declared} BEGIN {before} {INSERT} RETURN NEW; END;")
    assert found.null_reason == reason
    assert bool(found.null_in) == bool(reason)


def test_origins_are_followed_where_nulls_are_not_claimed() -> None:
    found = written(
        f"DECLARE v text; BEGIN IF NEW.phone IS NULL THEN v := NEW.raw_user_meta_data ->> 'role'; END IF; {INSERT} "
        "RETURN NEW; END;"
    )
    assert found.metadata_keys == {"role"}
    assert found.null_in == frozenset()


def test_a_whitelist_by_condition() -> None:
    found = written(
        f"DECLARE v text := NEW.raw_user_meta_data ->> 'role'; BEGIN IF v NOT IN ('a', 'b') THEN RETURN NEW; END IF; "
        f"{INSERT} RETURN NEW; END;"
    )
    assert found.possible_constants == frozenset({"a", "b"})


def test_the_statements_own_where_counts() -> None:
    source = "BEGIN INSERT INTO public.t (b) SELECT NEW.email WHERE NEW.email IS NOT NULL; RETURN NEW; END;"
    assert written(source).null_in == frozenset()
    source = "BEGIN INSERT INTO public.t (b) SELECT NEW.email WHERE NEW.id IS NOT NULL; RETURN NEW; END;"
    assert written(source).null_in == {"anonymous", "signup-phone"}


def test_a_deep_expression_is_unknown() -> None:
    found = written(f"BEGIN INSERT INTO public.t (b) VALUES ({'(' * 300}NEW.email{')' * 300}); RETURN NEW; END;")
    assert found.null_reason in ("", "NEW.email")
