"""Types: enums, domains over domains, arrays, ranges, composites, built-in ones in use."""

from __future__ import annotations

from trigger_audit.catalog.model import Catalog, Type


def type_of(catalog: Catalog, schema: str, name: str) -> Type:
    [found] = [found for found in catalog.types.values() if (found.schema, found.name) == (schema, name)]
    return found


def test_enum_labels_are_in_their_own_order(catalog: Catalog) -> None:
    mood = type_of(catalog, "app", "mood")
    assert (mood.kind, mood.labels) == ("e", ("sad", "fine", "happy", "it's"))


def test_domain_over_domain(catalog: Catalog) -> None:
    slug = type_of(catalog, "app", "slug")
    brief = type_of(catalog, "app", "short_slug")
    assert (slug.kind, slug.base, slug.not_null) == ("d", 1043, True)
    assert slug.default == "'none'::character varying"
    assert slug.checks == ("CHECK (((VALUE)::text <> ''::text))", "CHECK (((VALUE)::text ~ '^[a-z]'::text))")
    assert (brief.base, brief.not_null) == (slug.oid, False)
    assert brief.checks == ("CHECK ((length((VALUE)::text) < 9))",)


def test_array_knows_its_elements(catalog: Catalog) -> None:
    moods = catalog.types[catalog.tables_by_name["app", "fields"].by_name["moods"].type_oid]
    assert moods.element == type_of(catalog, "app", "mood").oid


def test_composite_knows_its_relation(catalog: Catalog) -> None:
    pair = type_of(catalog, "app", "pair")
    assert pair.kind == "c"
    assert pair.relation is not None
    assert [column.name for column in catalog.tables[pair.relation].columns] == ["left_half", "right_half"]
    assert type_of(catalog, "app", "span").kind == "r"


def test_every_type_in_use_is_there(catalog: Catalog) -> None:
    used = {column.type_oid for table in catalog.tables.values() for column in table.columns}
    used |= {oid for function in catalog.functions.values() for _, oid in function.arguments}
    used |= {function.returns for function in catalog.functions.values()}
    used |= {found.base for found in catalog.types.values() if found.base is not None}
    used |= {found.element for found in catalog.types.values() if found.element is not None}
    assert used <= catalog.types.keys()
    # Built-in ones only as far as they are in use.
    assert all(name != "polygon" for name in (found.name for found in catalog.types.values()))
