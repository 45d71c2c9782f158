"""Texts that are put together at run time: what is known of them, with a mark where something is only known then."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from trigger_audit.analysis.commands import UNKNOWN
from trigger_audit.analysis.questions.parsing import Unreadable, parse
from trigger_audit.analysis.targets import target_parts, written_by

if TYPE_CHECKING:
    from trigger_audit.analysis.model import BodyFacts, Site, SqlFacts

_PLACE = re.compile(r"%(?:%|(?:(\d+)\$)?-?(?:\d+|\*)?([sIL]))")
_QUOTING = frozenset(("quote_literal", "quote_ident", "quote_nullable"))
_MOST_ALTERNATIVES = 64


def text_of(sql: SqlFacts, site: Site) -> str:
    """What is known of the text that an expression gives, variables replaced by all that the body assigns to them.

    A statement's is that of its SELECT list.
    """
    arguments = site.visit.trigger.arguments if site.visit.trigger is not None else ()
    return _Skeleton(site.facts, arguments).of(sql, frozenset())


class _Skeleton:
    def __init__(self, facts: BodyFacts, arguments: tuple[str, ...]) -> None:
        self._facts = facts
        self._arguments = arguments
        self._left = _MOST_ALTERNATIVES

    def of(self, sql: SqlFacts, seen: frozenset[str]) -> str:
        try:
            parsed = parse(sql.fragment.text, is_expression=sql.is_expression)
            return self._node(parsed.fields.get("targetList", []), seen)
        except (Unreadable, RecursionError):
            return UNKNOWN

    def _node(self, node: Any, seen: frozenset[str]) -> str:
        if isinstance(node, list):
            return UNKNOWN.join(self._node(each, seen) for each in node)
        if not isinstance(node, dict):
            return ""
        if "A_Const" in node:
            return str(node["A_Const"].get("sval", {}).get("sval", UNKNOWN))
        if "ColumnRef" in node:
            return self._variable(node["ColumnRef"]["fields"], seen)
        if "ResTarget" in node:
            return self._node(node["ResTarget"].get("val"), seen)
        if "TypeCast" in node:
            return self._node(node["TypeCast"]["arg"], seen)
        if "A_Expr" in node and node["A_Expr"]["name"][-1]["String"]["sval"] == "||":
            return self._node(node["A_Expr"].get("lexpr"), seen) + self._node(node["A_Expr"].get("rexpr"), seen)
        if "FuncCall" in node:
            return self._call(node["FuncCall"], seen)
        return UNKNOWN.join(filter(None, (self._node(value, seen) for value in node.values())))

    def _call(self, call: Mapping[str, Any], seen: frozenset[str]) -> str:
        name = call["funcname"][-1]["String"]["sval"]
        values = [self._node(argument, seen) for argument in call.get("args", ())]
        if name in _QUOTING:
            return UNKNOWN
        if name == "concat":
            return "".join(values)
        if name != "format" or not values:
            return UNKNOWN.join(("", *values, ""))
        following = iter(values[1:])

        def put(found: re.Match[str]) -> str:
            if found[2] is None:
                return "%"
            if found[1]:
                value = values[int(found[1])] if int(found[1]) < len(values) else UNKNOWN
            else:
                value = next(following, UNKNOWN)
            return {"I": f'"{value}"', "L": f"'{UNKNOWN}'"}.get(found[2], value)

        return _PLACE.sub(put, values[0])

    def _variable(self, fields: list[Any], seen: frozenset[str]) -> str:
        name = fields[-1].get("String", {}).get("sval") if len(fields) == 1 else None
        if name == "tg_argv":
            return UNKNOWN.join(("", *self._arguments, ""))
        if name is None or name in seen:
            return "" if name in seen else UNKNOWN
        texts: list[str] = []
        for sql in self._assigned(name):
            self._left -= 1
            if self._left < 0:
                break
            texts.append(self.of(sql, seen | {name}))
        return "".join(texts) or UNKNOWN

    def _assigned(self, name: str) -> Iterator[SqlFacts]:
        for statement in self._facts.statements:
            declared = getattr(statement.statement, "name", None) == name
            if declared or any(target_parts(target)[0] == name for target in written_by(statement.statement)):
                yield from statement.sql
