"""Functions: overloads, argument modes, settings, atomic bodies, extensions' functions."""

from __future__ import annotations

from trigger_audit.catalog.model import Catalog, Function


def functions(catalog: Catalog, name: str) -> tuple[Function, ...]:
    return catalog.functions_by_name["app", name]


def type_names(catalog: Catalog, function: Function) -> list[tuple[str, str]]:
    return [(name, catalog.types[oid].name) for name, oid in function.arguments]


def test_trigger_function(catalog: Catalog) -> None:
    [found] = functions(catalog, "on_user")
    assert (found.name, found.kind, found.language) == ("app.on_user()", "f", "plpgsql")
    assert (found.owner, found.security_definer, found.returns_trigger) == ("catalog_owner", True, True)
    assert (found.source, found.atomic) == (" BEGIN RETURN NEW; END ", False)
    assert (found.volatility, found.strict, found.returns_set) == ("v", False, False)
    assert found.search_path == ("app", "Odd Schema", "$user")
    assert found.settings[1:] == (("statement_timeout", "5s"),)


def test_overloads(catalog: Catalog) -> None:
    number, text = functions(catalog, "over")
    assert (number.name, number.volatility, number.strict) == ("app.over(integer)", "i", True)
    assert number.search_path is None
    assert text.name == "app.over(text, app.mood, integer[])"
    assert type_names(catalog, text) == [("a", "text"), ("b", "mood"), ("c", "_int4")]
    assert (text.defaults, text.returns_set, text.volatility, text.search_path) == (2, True, "s", ())


def test_only_input_arguments_count(catalog: Catalog) -> None:
    [modes] = functions(catalog, "modes")
    assert modes.name == "app.modes(integer, app.mood)"
    assert type_names(catalog, modes) == [("", "int4"), ("y", "mood")]
    [as_table] = functions(catalog, "as_table")
    assert type_names(catalog, as_table) == [("n", "int4")]


def test_atomic_body(catalog: Catalog) -> None:
    [found] = functions(catalog, "atomic")
    assert found.atomic
    assert "FROM auth.users" in found.source
    assert found.source.startswith("BEGIN ATOMIC")


def test_procedure_and_aggregate(catalog: Catalog) -> None:
    assert [found.kind for found in functions(catalog, "work") + functions(catalog, "total")] == ["p", "a"]


def test_extensions_functions_only_where_a_trigger_calls_them(catalog: Catalog) -> None:
    public = {found.proname: found.language for found in catalog.functions.values() if found.schema == "public"}
    assert public == {"triggered_change_notification": "c"}
    built_in = {found.proname for found in catalog.functions.values() if found.schema == "pg_catalog"}
    assert built_in == {"suppress_redundant_updates_trigger"}
    assert catalog.extensions == {"btree_gist": "public", "citext": "public", "plpgsql": "pg_catalog", "tcn": "public"}
