"""What a fragment's parse tree (libpg_query's) says: references, relations, names of result columns, catalog tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from trigger_audit.analysis.tokens import Tokens, TooLong
from trigger_audit.catalog.model import split_search_path
from trigger_audit.plpgsql.lexer import identifier
from trigger_audit.plpgsql.tree import SyntaxProblem

PREFIX = "SELECT "
"""What PL/pgSQL's expressions are read with."""

WRITES = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})
ASKED = WRITES | {"SelectStmt", "CallStmt"}
"""Statements that parse analysis looks into. Others (utility statements) it takes as they are."""

_EXISTENCE_TESTS = frozenset({
    "to_regclass", "to_regproc", "to_regprocedure", "to_regtype", "to_regnamespace", "to_regrole", "to_regoper",
})  # fmt: skip
# SELECT lists, VALUES and ROW() take `record.*` apart; elsewhere it is the whole record.
_LISTS = frozenset({"targetList", "returningList", "valuesLists"})
# Nodes with nothing to be noted in them or below, which are most of a tree.
_LEAVES = frozenset({"A_Const", "String"})


class Unreadable(Exception):
    """The grammar refuses the text (`refused`), or it is too long or deep for the parser."""

    def __init__(self, message: str, *, refused: bool) -> None:
        super().__init__(message)
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Reference:
    """A column reference or `$n`, from `start` to `end` of the fragment's text.

    `expands`: its `.*` stands where columns are listed. `sees_target`: the columns of an INSERT's target are in sight.
    `is_output`: ORDER BY or GROUP BY names a result column, so that no variable can be meant.
    """

    names: tuple[str, ...]
    star: bool
    parameter: int
    start: int
    end: int
    expands: bool
    sees_target: bool
    is_output: bool


@dataclass(frozen=True, slots=True)
class Named:
    """A relation or column named at a place of the fragment's text."""

    schema: str | None
    name: str
    start: int
    end: int


@dataclass(slots=True)
class Parsed:
    """One fragment, read. Offsets are characters of the fragment's text.

    `kind` is libpg_query's node name. `results`: names of columns that FROM items other than tables may have.
    `inserted` are the starts of the targets of INSERT.
    `path` is what the statement sets search_path to, None where that is only known at run time.
    """

    kind: str
    fields: dict[str, Any]
    references: list[Reference] = field(default_factory=list)
    relations: list[Named] = field(default_factory=list)
    targets: list[tuple[Named, list[Named]]] = field(default_factory=list)
    inserted: set[int] = field(default_factory=set)
    conflict_columns: list[Named] = field(default_factory=list)
    common_tables: set[str] = field(default_factory=set)
    aliases: set[str] = field(default_factory=set)
    results: set[str] = field(default_factory=set)
    takes_write_lock: bool = False
    tests_existence: bool = False
    sets_path: bool = False
    path: tuple[str, ...] | None = None
    with_end: int | None = None

    @property
    def own_relations(self) -> list[Named]:
        """The relations that are no common table expressions."""
        return [named for named in self.relations if named.schema or named.name not in self.common_tables]


@dataclass(frozen=True, slots=True)
class _Context:
    expands: bool = False
    sees_target: bool = True
    outputs: frozenset[str] | None = frozenset()
    """Names that a bare reference right here takes for a result column; None: all of them."""


_PLAIN = _Context()
_CONTEXTS = {(expands, sees): _Context(expands, sees) for expands in (False, True) for sees in (False, True)}


@lru_cache(maxsize=512)
def parse(text: str, *, is_expression: bool) -> Parsed:
    """Read one SQL statement, or an expression as `SELECT <expression>`. The result is shared. Raises Unreadable."""
    import pgparse

    prefix = PREFIX if is_expression else ""
    whole = prefix + text
    try:
        tokens = Tokens(whole)
        tokens.check_depth()
        statements = pgparse.parse(whole)
    except pgparse.PGQueryError as error:
        raise Unreadable(str(error), refused=True) from None
    except SyntaxProblem as problem:
        raise Unreadable(problem.message, refused=True) from None
    except (RecursionError, TooLong):
        raise Unreadable("nested too deeply to be read", refused=False) from None
    except (ValueError, UnicodeError):
        raise Unreadable("holds characters that PostgreSQL does not take", refused=False) from None
    if len(statements) != 1:
        raise Unreadable("not one statement", refused=False)
    ((kind, fields),) = statements[0]["stmt"].items()
    return _Reader(tokens, len(prefix)).read(str(kind), fields)


class _Reader:
    def __init__(self, tokens: Tokens, skipped: int) -> None:
        self._tokens = tokens
        self._skipped = skipped
        text = tokens.text
        # libpg_query counts bytes of UTF-8.
        self._encoded = None if text.isascii() else text.encode()

    def read(self, kind: str, fields: dict[str, Any]) -> Parsed:
        self._found = found = Parsed(kind, fields)
        if self._tokens.word(0) == "WITH" and not self._skipped:
            last = 1 if self._tokens.word(1) == "RECURSIVE" else 0
            found.with_end = self._tokens.items[last].end
        if kind == "VariableSetStmt" and fields.get("name") == "search_path":
            self._set_path(fields)
        pending: list[tuple[str, Any, _Context]] = [(kind, fields, _PLAIN)]
        # A stack of our own, for chains of operators are as deep as they are long.
        while pending:
            key, node, context = pending.pop()
            if isinstance(node, list):
                pending.extend((key, item, context) for item in reversed(node))
            elif isinstance(node, dict):
                pending.extend(reversed(self._visit(key, node, context)))
        # `SET (a, b) = (...)` has its source in the tree once for each column.
        found.references = sorted(set(found.references), key=lambda reference: reference.start)
        return found

    def _visit(self, key: str, node: dict[str, Any], context: _Context) -> list[tuple[str, Any, _Context]]:
        """Notes what a node says and gives its fields to go on with. Nodes of a known C type stand bare in a field."""
        found = self._found
        if len(node) == 1:
            ((inner, value),) = node.items()
            if inner in _LEAVES:
                return []
            if isinstance(value, dict) and inner[:1].isupper():
                # Wrapped in its type's name: the same place, the list's context kept for its direct items.
                keeps = inner in ("ColumnRef", "ResTarget", "List", "SortBy") or key == "stmt"
                return [(inner, value, context if keeps else _CONTEXTS[False, context.sees_target])]
        here = _CONTEXTS[False, context.sees_target]
        if key == "ColumnRef":
            self._reference(node, context)
            return []
        if key == "ParamRef":
            at = self._index(node)
            token = self._tokens.items[at]
            self._add_reference((), False, node.get("number", 0), token.start, token.end, context)
            return []
        if key in ("TypeName", "typeName", "lockingClause", "LockingClause"):
            found.takes_write_lock |= key in ("lockingClause", "LockingClause")
            return []
        if "relname" in node:
            found.relations.append(self._relation(node))
        if key in ("Alias", "alias"):
            found.aliases.add(node.get("aliasname", ""))
            found.results.update(name["String"]["sval"] for name in node.get("colnames", ()))
            return []
        if key == "CommonTableExpr":
            found.common_tables.add(node["ctename"])
        elif key == "ResTarget":
            found.results.add(node.get("name", ""))
            return [("val", node.get("val"), context)]
        elif key in ("FuncCall", "funccall"):
            self._call(node)
        elif key == "RowExpr":
            return [("args", node.get("args"), _CONTEXTS[True, context.sees_target])]
        elif key in WRITES:
            return self._write(key, node)
        fields: list[tuple[str, Any, _Context]] = []
        for name, value in node.items():
            if not isinstance(value, dict | list):
                continue
            if name in _LISTS:
                fields.append((name, value, _CONTEXTS[True, context.sees_target]))
            elif name in ("sortClause", "groupClause") and "limitOption" in node:
                outputs = None if node.get("op", "SETOP_NONE") != "SETOP_NONE" else _outputs(node)
                fields.append((name, value, _Context(False, context.sees_target, outputs)))
            elif (name == "node" and key == "SortBy") or (name == "items" and key == "List"):
                fields.append((name, value, context))
            else:
                fields.append((name, value, here))
        return fields

    def _write(self, key: str, node: dict[str, Any]) -> list[tuple[str, Any, _Context]]:
        self._found.takes_write_lock = True
        columns = []
        if key in ("InsertStmt", "UpdateStmt"):
            for item in node.get("cols" if key == "InsertStmt" else "targetList", ()):
                column = item["ResTarget"]
                if "name" in column:
                    token = self._tokens.items[self._index(column)]
                    columns.append(self._named(None, column["name"], token.start, token.end))
        target = self._relation(node["relation"])
        self._found.targets.append((target, columns))
        if key == "InsertStmt":
            self._found.inserted.add(target.start)
        inference = node.get("onConflictClause", {}).get("infer", {})
        for item in inference.get("indexElems", ()):
            self._conflict_column(item["IndexElem"], inference)
        fields = []
        for name, value in node.items():
            if name == "cols":
                continue
            inside = key == "InsertStmt" and name == "selectStmt"
            fields.append((name, value, _CONTEXTS[name == "returningList", not inside]))
        return fields

    def _conflict_column(self, element: dict[str, Any], inference: dict[str, Any]) -> None:
        """ON CONFLICT (name): the node has no place of its own, so the name is looked for from the bracket on."""
        if "name" not in element:
            return
        for token in self._tokens.items[self._index(inference) :]:
            if token.kind in ("word", "quoted") and identifier(token) == element["name"]:
                self._found.conflict_columns.append(self._named(None, element["name"], token.start, token.end))
                return

    def _reference(self, node: dict[str, Any], context: _Context) -> None:
        fields = node["fields"]
        star = "A_Star" in fields[-1]
        names = tuple(field["String"]["sval"] for field in fields if "String" in field)
        if not names:
            return
        first = self._index(node)
        last = first + 2 * (len(fields) - 1)
        if any(self._tokens.word(at) != "." for at in range(first + 1, last, 2)):
            return
        items = self._tokens.items
        self._add_reference(names, star, 0, items[first].start, items[last].end, context)

    def _add_reference(
        self, names: tuple[str, ...], star: bool, parameter: int, start: int, end: int, context: _Context
    ) -> None:
        outputs = context.outputs
        is_output = len(names) == 1 and (outputs is None or names[0] in outputs)
        skipped = self._skipped
        self._found.references.append(
            Reference(
                names, star, parameter, start - skipped, end - skipped, context.expands, context.sees_target, is_output
            )
        )

    def _call(self, node: dict[str, Any]) -> None:
        name = node["funcname"][-1]["String"]["sval"]
        if name in _EXISTENCE_TESTS:
            self._found.tests_existence = True
        arguments = node.get("args", [])
        if name == "set_config" and len(arguments) == 3:
            setting, value = (_constant(argument) for argument in arguments[:2])
            if setting is None or setting.lower() == "search_path":
                self._found.sets_path = True
                self._found.path = None if setting is None or value is None else split_search_path(value)

    def _set_path(self, fields: dict[str, Any]) -> None:
        self._found.sets_path = True
        values = [_constant(argument) for argument in fields.get("args", ())]
        if values and None not in values:
            self._found.path = tuple(value for value in values if value)

    def _relation(self, node: dict[str, Any]) -> Named:
        first = self._index(node)
        items = self._tokens.items
        end = self._tokens.name_end(first)
        schema, name = node.get("schemaname"), node["relname"]
        if schema in ("information_schema", "pg_catalog") or (schema is None and name.startswith("pg_")):
            self._found.tests_existence = True
        return self._named(schema, name, items[first].start, items[end - 1].end)

    def _named(self, schema: str | None, name: str, start: int, end: int) -> Named:
        return Named(schema, name, start - self._skipped, end - self._skipped)

    def _index(self, node: dict[str, Any]) -> int:
        """The token that a node begins at."""
        at: int = node.get("location", 0)
        if self._encoded is not None:
            at = len(self._encoded[:at].decode(errors="replace"))
        return self._tokens.at(at)


def _outputs(select: dict[str, Any]) -> frozenset[str]:
    """The names of a SELECT's result columns that are given, or copied from a qualified column."""
    names = set()
    for item in select.get("targetList", ()):
        target = item["ResTarget"]
        value = target.get("val", {})
        if "name" in target:
            names.add(target["name"])
            continue
        # An unqualified column may be a variable: then both places are, and become the same parameter.
        fields = value.get("ColumnRef", {}).get("fields", ())
        if len(fields) > 1 and "String" in fields[-1]:
            names.add(fields[-1]["String"]["sval"])
    return frozenset(names)


def _constant(node: dict[str, Any]) -> str | None:
    """The text of a string constant, with or without a cast."""
    if "TypeCast" in node:
        node = node["TypeCast"].get("arg", {})
    value: dict[str, Any] = node.get("A_Const", {})
    if "sval" not in value:
        return None
    text: str = value["sval"].get("sval", "")
    return text
