"""Tables, columns, indexes, constraints, policies: each field once."""

from __future__ import annotations

import pytest

from trigger_audit.catalog.model import Catalog, Column, Constraint, Index, Policy, Table


def table(catalog: Catalog, schema: str, relation: str) -> Table:
    return catalog.tables_by_name[schema, relation]


@pytest.fixture
def fields(catalog: Catalog) -> Table:
    return table(catalog, "app", "fields")


def index(of: Table, name: str) -> Index:
    [found] = [index for index in of.indexes if index.name == name]
    return found


def constraint(of: Table, name: str) -> Constraint:
    [found] = [constraint for constraint in of.constraints if constraint.name == name]
    return found


def test_table(fields: Table) -> None:
    assert (fields.name, fields.kind, fields.owner) == ("app.fields", "r", "catalog_owner")
    assert (fields.row_security, fields.force_row_security) == (True, True)
    assert (fields.rows, fields.partition_of, fields.foreign_server) == (-1, None, None)


def test_kinds_of_relations(catalog: Catalog) -> None:
    kinds = {found.name: found.kind for found in catalog.tables.values()}
    assert kinds == {
        "app.fields": "r",
        "app.kept": "m",
        "app.measured": "p",
        "app.measured_2024": "r",
        "app.measured_2025": "r",
        "app.pair": "c",
        "app.parent": "r",
        "app.refers": "r",
        "app.seen": "v",
        "auth.users": "r",
    }


def test_partitions_name_their_parent(catalog: Catalog) -> None:
    assert table(catalog, "app", "measured_2024").partition_of == table(catalog, "app", "measured").oid


def test_text_columns_have_their_length_in_characters(fields: Table) -> None:
    lengths = {column.name: column.length for column in fields.columns if column.length is not None}
    assert lengths == {"bounded": 20, "padded": 3, "slug": 40, "brief": 40, "two": 2}


def test_column(fields: Table) -> None:
    assert fields.by_name["bounded"] == Column(
        name="bounded",
        number=4,
        type_oid=1043,
        type_name="character varying(20)",
        type_modifier=24,
        length=20,
        not_null=True,
        default="'x'::character varying",
        identity="",
        generated="",
    )


def test_a_dropped_column_is_gone_and_keeps_its_number(fields: Table) -> None:
    assert [column.number for column in fields.columns][:2] == [2, 3]


def test_defaults_are_the_columns_else_the_domains(fields: Table) -> None:
    defaults = {column.name: column.default for column in fields.columns if column.default is not None}
    assert defaults == {
        "bounded": "'x'::character varying",
        "mood": "'sad'::app.mood",
        "slug": "'none'::character varying",
        "brief": "'own'::character varying",
        # Whatever the session's time zone.
        "at": "'2020-01-01 08:00:00+00'::timestamp with time zone",
    }


def test_identity_and_generated(catalog: Catalog, fields: Table) -> None:
    assert fields.by_name["by_default"].identity == "d"
    assert table(catalog, "app", "parent").by_name["id"].identity == "a"
    stored = fields.by_name["stored"]
    assert (stored.generated, stored.default, stored.has_default) == ("s", None, True)
    assert not fields.by_name["plain"].has_default


def test_type_names_are_qualified(fields: Table) -> None:
    names = {column.name: column.type_name for column in fields.columns}
    assert names["moods"] == "app.mood[]"
    assert names["address"] == "public.citext"
    assert names["amount"] == "numeric(10,2)"


def test_view_columns_have_defaults(catalog: Catalog) -> None:
    assert table(catalog, "app", "seen").by_name["email"].default == "'nobody'::character varying"


def test_index_with_expressions_and_predicate(fields: Table) -> None:
    assert index(fields, "folded") == Index(
        name="folded",
        unique=True,
        primary=False,
        exclusion=False,
        valid=True,
        immediate=True,
        columns=(None, "bounded", None),
        expressions=("lower(plain)", "((amount + (1)::numeric))"),
        predicate="(amount > (1)::numeric)",
        definition=(
            "CREATE UNIQUE INDEX folded ON app.fields USING btree "
            "(lower(plain), bounded, ((amount + (1)::numeric))) INCLUDE (mood) WHERE (amount > (1)::numeric)"
        ),
    )


def test_index_states(catalog: Catalog, fields: Table) -> None:
    parent = table(catalog, "app", "parent")
    assert index(parent, "parent_pkey").primary
    assert not index(parent, "parent_code_key").immediate
    assert not index(fields, "broken").valid
    assert index(fields, "apart").exclusion


def test_foreign_keys(catalog: Catalog, fields: Table) -> None:
    users = table(catalog, "auth", "users")
    assert constraint(fields, "fields_user_id_fkey") == Constraint(
        name="fields_user_id_fkey",
        kind="f",
        columns=("user_id",),
        references=users.oid,
        referenced_columns=("id",),
        on_delete="c",
        on_update="r",
        deferrable=False,
        initially_deferred=False,
        validated=True,
        definition="FOREIGN KEY (user_id) REFERENCES auth.users(id) ON UPDATE RESTRICT ON DELETE CASCADE",
    )
    assert catalog.referencing[users.oid] == ((fields, constraint(fields, "fields_user_id_fkey")),)
    deferred = constraint(fields, "to_parent")
    assert (deferred.deferrable, deferred.initially_deferred, deferred.on_delete) == (True, True, "a")


def test_other_constraints(fields: Table) -> None:
    positive = constraint(fields, "positive")
    assert (positive.kind, positive.columns, positive.references) == ("c", ("amount",), None)
    assert (positive.on_delete, positive.on_update) == ("", "")
    assert positive.definition == "CHECK ((amount > (0)::numeric))"
    assert not constraint(fields, "later").validated
    assert constraint(fields, "apart").kind == "x"
    assert constraint(fields, "apart").columns == ("mood", "during")


def test_not_null_is_no_constraint_on_any_version(catalog: Catalog) -> None:
    kinds = {constraint.kind for table in catalog.tables.values() for constraint in table.constraints}
    assert kinds == {"c", "f", "p", "t", "u", "x"}


def test_a_foreign_key_to_a_partitioned_table_is_one(catalog: Catalog) -> None:
    assert [found.name for found in table(catalog, "app", "refers").constraints] == ["to_measured"]
    assert table(catalog, "app", "measured_2024").oid not in catalog.referencing


def test_policies(fields: Table) -> None:
    assert fields.policies == (
        Policy("read own", True, "r", ("catalog_member", "catalog_owner"), "(user_id IS NOT NULL)", None),
        Policy("refuse", False, "a", (), None, "(mood <> 'sad'::app.mood)"),
    )
