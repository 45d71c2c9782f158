"""Types: enums with their labels, domains with what they demand, arrays, and the built-in ones that are in use."""

from __future__ import annotations

from collections.abc import Mapping

from trigger_audit.catalog.model import Type
from trigger_audit.catalog.rows import Rows, definition

CHARACTER_TYPES = frozenset({1042, 1043})
"""The fixed oids of bpchar and varchar, whose modifier is the length in characters plus 4."""


def read_types(rows: Rows) -> tuple[dict[int, Type], dict[int, int]]:
    """The types by oid, and the modifiers that domains put on their base types (12 for varchar(8))."""
    types: dict[int, Type] = {}
    modifiers: dict[int, int] = {}
    for oid, schema, name, kind, not_null, base, modifier, relation, element, labels, default, checks in rows("types"):
        types[oid] = Type(
            oid=oid,
            schema=schema,
            name=name,
            kind=kind,
            not_null=not_null,
            base=base,
            labels=tuple(labels or ()),
            relation=relation,
            default=default,
            checks=tuple(definition(check) for check in checks or ()),
            element=element,
        )
        if base is not None and modifier is not None:
            modifiers[oid] = modifier
    return types, modifiers


def character_length(
    type_oid: int, modifier: int, types: Mapping[int, Type], modifiers: Mapping[int, int]
) -> int | None:
    """The n of varchar(n) or char(n), also under domains; None where the length has no bound."""
    found = types.get(type_oid)
    while found is not None and found.kind == "d" and found.base is not None:
        modifier = modifiers.get(found.oid, -1)
        type_oid = found.base
        found = types.get(type_oid)
    return modifier - 4 if type_oid in CHARACTER_TYPES and modifier >= 4 else None
