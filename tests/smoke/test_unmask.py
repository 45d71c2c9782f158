"""Which handlers are opened to see what they hide, and how the function is written then."""

from __future__ import annotations

import pytest

from tests.smoke.conftest import Database, connect, session_on
from trigger_audit.analysis.bodies import read_body
from trigger_audit.catalog.load import load_catalog
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
}
LEFT = {
    "narrow": "WHEN unique_violation THEN NULL;",
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
    assert opened.count("RAISE; ") == 1
    assert opened.count("\n") == definition.text.count("\n")
    assert opened.replace(" RAISE; ", "") == definition.text
    with connect(fresh_database) as connection:
        connection.execute(opened.encode())  # it is still PL/pgSQL, its settings included
        row = connection.execute("SELECT proconfig FROM pg_proc WHERE proname = 'f'").fetchone()
    assert row == (['search_path=""'],)


@pytest.mark.parametrize("handler", LEFT.values(), ids=LEFT)
def test_a_handler_that_is_part_of_the_work_stays_shut(fresh_database: Database, handler: str) -> None:
    assert found(fresh_database, BODY.format(handler=handler, after="RAISE LOG '%', v;"))[0] == ()


def test_a_handler_in_a_loop_stays_shut(fresh_database: Database) -> None:
    body = (
        "\nBEGIN LOOP BEGIN INSERT INTO public.a VALUES (1); EXIT; EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END"
    )
    assert found(fresh_database, body)[0] == ()
