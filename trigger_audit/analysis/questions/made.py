"""Tables that a body makes by itself: they need not be there when the server is asked."""

from __future__ import annotations

from trigger_audit.analysis.questions import branches
from trigger_audit.analysis.questions.parsing import Parsed, Unreadable, parse
from trigger_audit.plpgsql import tree

_MAKES = frozenset({"CreateStmt", "CreateTableAsStmt", "ViewStmt"})


def made_names(body: tree.Body) -> frozenset[str]:
    """The names of relations that CREATE TABLE and the like make anywhere in the body, in constant EXECUTE text too."""
    if "create" not in body.source.text.lower():
        return frozenset()
    found: set[str] = set()
    for statement in tree.walk(body.block):
        text: str | None = None
        if isinstance(statement, tree.Sql):
            text = statement.sql.text
        elif isinstance(statement, tree.Execute):
            command = _parsed(statement.command.text, is_expression=True)
            text = branches.text_of(command, {}) if command is not None else None
        if text is not None and "create" in text.lower():
            parsed = _parsed(text, is_expression=False)
            if parsed is not None and parsed.kind in _MAKES:
                relation = (
                    parsed.fields.get("relation")
                    or parsed.fields.get("into", {}).get("rel")
                    or parsed.fields.get("view", {})
                )
                found.add(relation.get("relname", ""))
    return frozenset(found - {""})


def _parsed(text: str, *, is_expression: bool) -> Parsed | None:
    try:
        return parse(text, is_expression=is_expression)
    except Unreadable:
        return None
