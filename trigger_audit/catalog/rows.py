"""What the readers of this folder share: a source of rows, and texts that the server may no longer know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from trigger_audit.errors import TriggerAuditError

Row: TypeAlias = tuple[Any, ...]

Rows: TypeAlias = Callable[[str], Iterator[Row]]
"""The rows of one file of sql/catalog/, named without folder and suffix, in the query's own order."""


def schema_changed() -> TriggerAuditError:
    """The error for a schema that changed between the snapshot and the look at it."""
    return TriggerAuditError("the schema was changed while it was being read", "run the command again")


def written(text: str | None) -> str | None:
    """An expression or definition as the server wrote it; None where there is none.

    pg_get_expr and its like look at the present state, not at the transaction's snapshot, and give NULL for what
    another session has dropped since. The queries turn that NULL into '', which no expression is.

    Raises:
        TriggerAuditError: the expression is in the snapshot but the server no longer knows it.
    """
    if text == "":
        raise schema_changed()
    return text


def definition(text: str) -> str:
    """`written` for what every object of its kind has."""
    if not text:
        raise schema_changed()
    return text
