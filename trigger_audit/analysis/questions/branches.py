"""Conditions on the trigger's own table: which branches of a shared function cannot run for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trigger_audit.analysis.questions.parsing import Parsed
    from trigger_audit.catalog.model import Table


def constants(table: Table | None) -> Mapping[str, str]:
    """What the special variables that name the table hold."""
    if table is None:
        return {}
    return {"tg_table_name": table.relation, "tg_relname": table.relation, "tg_table_schema": table.schema}


def holds(parsed: Parsed, known: Mapping[str, str]) -> bool | None:
    """Whether an expression is certainly true (True) or certainly not (False) with these values."""
    items = parsed.fields.get("targetList", ())
    if len(items) != 1 or "fromClause" in parsed.fields or "whereClause" in parsed.fields:
        return None
    try:
        return _truth(items[0]["ResTarget"].get("val", {}), known)
    except RecursionError:
        return None


def text_of(parsed: Parsed, known: Mapping[str, str]) -> str | None:
    """The text that an expression gives whenever it runs: literals, `||` and format() of such."""
    items = parsed.fields.get("targetList", ())
    if len(items) != 1 or "fromClause" in parsed.fields:
        return None
    try:
        return _text(items[0]["ResTarget"].get("val", {}), known)
    except RecursionError:
        return None


def _truth(node: dict[str, Any], known: Mapping[str, str]) -> bool | None:
    if "BoolExpr" in node:
        values = [_truth(item, known) for item in node["BoolExpr"]["args"]]
        match node["BoolExpr"]["boolop"]:
            case "NOT_EXPR":
                return None if values[0] is None else not values[0]
            case "AND_EXPR":
                return False if False in values else None if None in values else True
            case _:
                return True if True in values else None if None in values else False
    constant = node.get("A_Const", {})
    if "boolval" in constant:
        return bool(constant["boolval"].get("boolval", False))
    comparison = node.get("A_Expr")
    if comparison is None:
        return None
    left = _text(comparison.get("lexpr", {}), known)
    if left is None:
        return None
    operator = comparison["name"][-1]["String"]["sval"]
    wanted = comparison.get("rexpr", {})
    match comparison["kind"]:
        case "AEXPR_OP" if operator in ("=", "<>", "!="):
            right = _text(wanted, known)
            return None if right is None else (left == right) is (operator == "=")
        case "AEXPR_IN":
            values_in = [_text(item, known) for item in wanted.get("List", {}).get("items", ())]
        case "AEXPR_OP_ANY" if operator == "=":
            values_in = [_text(item, known) for item in wanted.get("A_ArrayExpr", {}).get("elements", (None,)) if item]
        case _:
            return None
    if not values_in or (None in values_in and left not in values_in):
        return None
    return (left in values_in) is (operator == "=")


def _text(node: dict[str, Any], known: Mapping[str, str]) -> str | None:
    if "A_Const" in node and "sval" in node["A_Const"]:
        text: str = node["A_Const"]["sval"].get("sval", "")
        return text
    if "TypeCast" in node:
        names = [name["String"]["sval"] for name in node["TypeCast"]["typeName"].get("names", ())]
        return _text(node["TypeCast"]["arg"], known) if names[-1:] in (["text"], ["name"], ["regclass"]) else None
    if "ColumnRef" in node:
        fields = node["ColumnRef"]["fields"]
        return known.get(fields[0]["String"]["sval"]) if len(fields) == 1 and "String" in fields[0] else None
    if "A_Expr" in node and node["A_Expr"]["name"][-1]["String"]["sval"] == "||":
        left, right = (_text(node["A_Expr"].get(side, {}), known) for side in ("lexpr", "rexpr"))
        return None if left is None or right is None else left + right
    call = node.get("FuncCall")
    if call is not None and call["funcname"][-1]["String"]["sval"] == "format":
        values = [_text(argument, known) for argument in call.get("args", ())]
        return _formatted(values[0], values[1:]) if values else None
    return None


def _formatted(template: str | None, values: list[str | None]) -> str | None:
    """format() with %s, %I, %L and %% in order; None for anything else."""
    if template is None:
        return None
    first, *rest = template.replace("%%", "\0").split("%")
    made = [first]
    for part in rest:
        if not values or values[0] is None or part[:1] not in ("s", "I", "L"):
            return None
        value: str = values[0]
        values = values[1:]
        if part[0] == "I":
            value = '"' + value.replace('"', '""') + '"'
        elif part[0] == "L":
            if "\\" in value:
                return None
            value = "'" + value.replace("'", "''") + "'"
        made.append(value + part[1:])
    return "".join(made).replace("\0", "%")
