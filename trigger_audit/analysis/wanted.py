"""What a JSON value must be to get through a cast or into a column."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlglot import exp

from trigger_audit.analysis.expressions import Unreadable, expression_node, identifier

if TYPE_CHECKING:
    from trigger_audit.catalog.model import Catalog, Column, Table, Type


class Kind(StrEnum):
    """Families of types that the same JSON value satisfies; `array` is PostgreSQL's own, as text: '{}'."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    UUID = "uuid"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIME = "time"
    INTERVAL = "interval"
    INET = "inet"
    JSON = "json"
    LIST = "list"
    OBJECT = "object"
    ARRAY = "array"
    ENUM = "enum"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Check:
    """A CHECK's definition; the value goes by `name` in it."""

    definition: str
    name: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """`length` is that of varchar(n), `labels` are an enum's, `checks` a domain's and those of the column alone."""

    kind: Kind
    length: int | None = None
    labels: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


_CATALOG = {
    "text": Kind.TEXT, "varchar": Kind.TEXT, "bpchar": Kind.TEXT, "citext": Kind.TEXT, "name": Kind.TEXT,
    "int2": Kind.INTEGER, "int4": Kind.INTEGER, "int8": Kind.INTEGER,
    "numeric": Kind.NUMBER, "float4": Kind.NUMBER, "float8": Kind.NUMBER,
    "bool": Kind.BOOLEAN, "uuid": Kind.UUID, "date": Kind.DATE, "timestamp": Kind.TIMESTAMP,
    "timestamptz": Kind.TIMESTAMP, "time": Kind.TIME, "timetz": Kind.TIME, "interval": Kind.INTERVAL,
    "inet": Kind.INET, "cidr": Kind.INET, "json": Kind.JSON, "jsonb": Kind.JSON,
}  # fmt: skip
_NODES = {
    "TEXT": Kind.TEXT, "VARCHAR": Kind.TEXT, "CHAR": Kind.TEXT, "NCHAR": Kind.TEXT, "BPCHAR": Kind.TEXT,
    "NVARCHAR": Kind.TEXT, "NAME": Kind.TEXT, "TINYINT": Kind.INTEGER, "SMALLINT": Kind.INTEGER, "INT": Kind.INTEGER,
    "BIGINT": Kind.INTEGER, "DECIMAL": Kind.NUMBER, "DOUBLE": Kind.NUMBER, "FLOAT": Kind.NUMBER,
    "BOOLEAN": Kind.BOOLEAN, "UUID": Kind.UUID, "DATE": Kind.DATE, "TIMESTAMP": Kind.TIMESTAMP,
    "TIMESTAMPTZ": Kind.TIMESTAMP, "TIMESTAMPNTZ": Kind.TIMESTAMP, "TIME": Kind.TIME, "TIMETZ": Kind.TIME,
    "INTERVAL": Kind.INTERVAL, "INET": Kind.INET, "JSON": Kind.JSON, "JSONB": Kind.JSON, "ARRAY": Kind.ARRAY,
}  # fmt: skip


def of_column(catalog: Catalog, table: Table, column: Column) -> Wanted:
    """What the column takes, with the CHECKs that speak of it alone."""
    wanted = of_type(catalog, catalog.types.get(column.type_oid))
    own = tuple(
        Check(constraint.definition, column.name)
        for constraint in table.constraints
        if constraint.kind == "c" and constraint.columns == (column.name,) and constraint.enforced
    )
    return replace(wanted, length=column.length, checks=(*wanted.checks, *own))


def of_type(catalog: Catalog, found: Type | None) -> Wanted:
    checks: list[Check] = []
    while found is not None and found.kind == "d":
        checks += (Check(definition, "value") for definition in found.checks)
        found = catalog.types.get(found.base) if found.base is not None else None
    if found is None:
        return Wanted(Kind.OTHER, checks=tuple(checks))
    if found.kind == "e":
        return Wanted(Kind.ENUM, labels=found.labels, checks=tuple(checks))
    kind = Kind.ARRAY if found.element is not None else _CATALOG.get(found.name, Kind.OTHER)
    return Wanted(kind, checks=tuple(checks))


def of_node(catalog: Catalog, node: exp.DataType, search_path: tuple[str, ...]) -> Wanted:
    """What a cast's type takes; a user's type is looked up by name."""
    name = getattr(node.this, "name", str(node.this))
    if name == "USERDEFINED":
        return of_type(catalog, _named(catalog, node.args.get("kind"), search_path))
    kind = _NODES.get(name, Kind.OTHER)
    length = None
    if kind is Kind.TEXT and node.expressions:
        text = node.expressions[0].name
        length = int(text) if text.isascii() and text.isdigit() else None
    return Wanted(kind, length)


def of_text(catalog: Catalog, type_text: str, search_path: tuple[str, ...]) -> Wanted | None:
    """What a declared variable takes. None for a row, a record and what cannot be read."""
    try:
        node = expression_node(f"NULL::{type_text}")
    except Unreadable:
        return None
    if not isinstance(node, exp.Cast):
        return None
    wanted = of_node(catalog, node.to, search_path)
    return None if wanted.kind is Kind.OTHER and not wanted.checks else wanted


def _named(catalog: Catalog, node: object, search_path: tuple[str, ...]) -> Type | None:
    schema = None
    if isinstance(node, exp.Dot) and isinstance(node.this, exp.Identifier):
        schema, node = identifier(node.this), node.expression
    name = identifier(node) if isinstance(node, exp.Identifier) else str(node).lower()
    schemas = (schema,) if schema is not None else search_path
    found = {kind.schema: kind for kind in catalog.types.values() if kind.name == name}
    return next((found[schema] for schema in schemas if schema in found), None)
