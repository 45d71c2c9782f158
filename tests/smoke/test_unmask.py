"""Which handlers are opened to see what they hide, and how the function is written then."""

from __future__ import annotations

import pytest

from tests.smoke.conftest import Database, connect, session_on
from trigger_audit.analysis.bodies import read_body
from trigger_audit.catalog.load import load_catalog
from trigger_audit.catalog.model import Function
from trigger_audit.smoke.unmask import Definition, Mask, definitions, masks

BODY = """
DECLARE v text := 'x'; problem text;
BEGIN
  BEGIN
    INSERT INTO public.profiles (id) VALUES (NEW.id);
  EXCEPTION {handler}
  END;
  {after}
  RETURN NEW;
END"""

OPENED = {
    "nothing": "WHEN OTHERS THEN NULL;",
    "empty": "WHEN OTHERS THEN",
    "warning": "WHEN OTHERS THEN RAISE WARNING 'no profile: %', sqlerrm;",
    "returns": "WHEN OTHERS THEN RETURN NEW;",
    "logs": "WHEN OTHERS THEN INSERT INTO public.log VALUES (sqlerrm);",
    "diagnostics": "WHEN OTHERS THEN GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT; RAISE LOG '%', problem;",
    "own variable": "WHEN OTHERS THEN problem := sqlerrm; RAISE LOG '%', problem;",
    "in a list": "WHEN unique_violation OR OTHERS THEN NULL;",
    "second": "WHEN unique_violation THEN NULL; WHEN OTHERS THEN NULL;",
    "narrow": "WHEN not_null_violation THEN NULL;",
    "narrow, with an idiom": "WHEN not_null_violation OR unique_violation THEN RAISE WARNING 'no profile';",
    "by its number": "WHEN SQLSTATE '23502' THEN NULL;",
}
LEFT = {
    "ON CONFLICT DO NOTHING": "WHEN unique_violation THEN NULL;",
    "by its number": "WHEN SQLSTATE '23505' THEN NULL;",
    "IF NOT EXISTS": "WHEN duplicate_table OR duplicate_object THEN NULL;",
    "raises": "WHEN OTHERS THEN RAISE;",
    "raises its own": "WHEN OTHERS THEN RAISE EXCEPTION 'no profile';",
    "raises sometimes": "WHEN OTHERS THEN IF v = 'x' THEN RAISE; END IF;",
    "same table": "WHEN OTHERS THEN INSERT INTO public.profiles (id) VALUES (gen_random_uuid());",
    "updates": "WHEN OTHERS THEN UPDATE public.log SET t = 'x';",
    "new": "WHEN OTHERS THEN NEW.raw_user_meta_data := '{}';",
    "used later": "WHEN OTHERS THEN v := 'failed';",
    "executes": "WHEN OTHERS THEN EXECUTE 'INSERT INTO public.log VALUES (1)';",
    "returns another row": "WHEN OTHERS THEN RETURN OLD.x;",
}


def found(database: Database, body: str) -> tuple[tuple[Mask, ...], Definition]:
    with connect(database) as connection:
        connection.execute("SET check_function_bodies = off")
        create = f"CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $f${body}$f$"
        connection.execute(create.encode())
        catalog = load_catalog(connection)
        (function,) = catalog.functions_by_name["public", "f"]
        return masks([read_body(function)]), definitions(session_on(connection), [function.oid])[function.oid]


@pytest.mark.parametrize("handler", OPENED.values(), ids=OPENED)
def test_a_handler_that_only_hides_is_opened(fresh_database: Database, handler: str) -> None:
    (mask,), definition = found(fresh_database, BODY.format(handler=handler, after="v := v || 'y';"))
    assert (mask.line, mask.first_line, mask.last_line) == (6, 4, 6)
    opened = definition.without([mask])
    assert mask.opening.count("RAISE; ") + mask.opening.endswith("RAISE;") == 1
    assert opened.count("\n") == definition.text.count("\n")
    assert opened.replace(f" {mask.opening} ", "") == definition.text
    with connect(fresh_database) as connection:
        connection.execute(opened.encode())  # it is still PL/pgSQL, its settings included
        row = connection.execute("SELECT proconfig FROM pg_proc WHERE proname = 'f'").fetchone()
    assert row == (['search_path=""'],)


@pytest.mark.parametrize("handler", LEFT.values(), ids=LEFT)
def test_a_handler_that_is_part_of_the_work_stays_shut(fresh_database: Database, handler: str) -> None:
    assert found(fresh_database, BODY.format(handler=handler, after="RAISE LOG '%', v;"))[0] == ()


@pytest.mark.parametrize("handler", ["WHEN invalid_text_representation THEN NULL;", "WHEN data_exception THEN NULL;"])
def test_a_guarded_cast_stays_shut(fresh_database: Database, handler: str) -> None:
    """The variable keeps what it had; where nothing is worked out the same handler only hides."""
    cast = BODY.replace("INSERT INTO public.profiles (id) VALUES (NEW.id);", "v := (NEW.raw ->> 'age')::int;")
    assert found(fresh_database, cast.format(handler=handler, after="RAISE LOG '%', v;"))[0] == ()
    with connect(fresh_database) as connection:
        connection.execute("DROP FUNCTION public.f()")
    assert len(found(fresh_database, BODY.format(handler=handler, after="RAISE LOG '%', v;"))[0]) == 1


def helper(name: str, body: str, returns: str = "text") -> Function:
    return Function(
        len(name), "public", name, "", "f", "plpgsql", body, False, (), 0, 0, False, returns == "trigger", "", False,
        (), "v", False,
    )  # fmt: skip


INSERTS = "BEGIN INSERT INTO public.a VALUES (1);{result} EXCEPTION WHEN OTHERS THEN {handler} END"


def test_a_helper_that_a_loop_calls_stays_shut() -> None:
    """It is what is tried again. Who is called once is opened."""
    tried = read_body(helper("tries", INSERTS.format(result="", handler="NULL;"), "void"))
    once = read_body(helper("on_new", "BEGIN PERFORM public.tries(); RETURN NEW; END", "trigger"))
    loops = read_body(helper("on_new", "BEGIN LOOP PERFORM public.tries(); EXIT; END LOOP; RETURN NEW; END", "trigger"))
    between = read_body(helper("between", "BEGIN PERFORM public.tries(); END", "void"))
    deep = read_body(
        helper("on_new", "BEGIN WHILE true LOOP PERFORM public.between(); END LOOP; RETURN NEW; END", "trigger")
    )
    assert len(masks([once, tried])) == 1
    assert masks([loops, tried]) == ()
    assert masks([deep, between, tried]) == ()


def test_what_a_helper_returns_instead_is_a_fallback() -> None:
    body = INSERTS.format(result=" RETURN 'x';", handler="RETURN NULL;")
    assert masks([read_body(helper("f", body))]) == ()
    assert len(masks([read_body(helper("f", body, "trigger"))])) == 1


def test_a_handler_in_a_loop_stays_shut(fresh_database: Database) -> None:
    body = (
        "\nBEGIN LOOP BEGIN INSERT INTO public.a VALUES (1); EXIT; EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END"
    )
    assert found(fresh_database, body)[0] == ()
