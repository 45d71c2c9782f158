"""The enum types that casts name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from trigger_audit.analysis.expressions import fold, identifier

if TYPE_CHECKING:
    from trigger_audit.catalog.model import Catalog


def enum_labels(data_type: exp.DataType, catalog: Catalog, search_path: tuple[str, ...]) -> frozenset[str] | None:
    """The labels of the enum that a cast names; None for another type or one not in the catalog."""
    kind = data_type.args.get("kind")
    schema, name = None, None
    if isinstance(kind, exp.Dot):
        schema, name = identifier(kind.this), identifier(kind.expression)
    elif isinstance(kind, exp.Identifier):
        name = identifier(kind)
    elif isinstance(kind, str):
        name = fold(kind)
    if name is None:
        return None
    path = (schema,) if schema is not None else search_path
    for found in catalog.types.values():
        if found.kind == "e" and found.name == name and found.schema in path:
            return frozenset(found.labels)
    return None
