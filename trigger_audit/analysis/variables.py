"""Where the value of a variable comes from at a site, for variables that are assigned exactly once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from trigger_audit.analysis.targets import target_parts, written_by
from trigger_audit.plpgsql import tree

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Condition, Site, StatementFacts

_WHOLE = "*"


@dataclass(frozen=True, slots=True)
class Source:
    """An expression, or one column (from 0) of the query whose INTO it is.

    `certain`: at the site the variable holds this value; else the assignment may not have run, or not yet. `unless` are
    conditions of which one must have failed then, and in that case the variable is NULL ('()': that is not known).
    """

    expression: exp.Expression | None
    query: exp.Select | None
    position: int
    strict: bool
    certain: bool
    unless: tuple[Condition, ...] = ()


class Variables:
    """The variables of the site's function as the site sees them."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._found: dict[str, Source | None] = {}
        self._fields: set[tuple[str, str]] | None = None

    def overwrites(self, record: str, field: str) -> bool:
        """Whether the body may have changed NEW's or OLD's field before the site."""
        if self._fields is None:
            self._fields = set()
            for facts in self._site.facts.statements:
                if facts.span.start >= self._site.statement.span.start and not self._site.statement.loop_depth:
                    break
                for target in written_by(facts.statement):
                    parts = target_parts(target)
                    self._fields.add((parts[0], parts[1] if len(parts) > 1 else _WHOLE))
        return (record, field) in self._fields or (record, _WHOLE) in self._fields

    def source_of(self, name: str) -> Source | None:
        """Where a variable's value comes from; None for other names, and where it is not assigned exactly once."""
        if name not in self._found:
            self._found[name] = self._look(name)
        return self._found[name]

    def _look(self, name: str) -> Source | None:
        assignments = self._site.facts.assignments
        if name not in assignments:
            return None
        expression = assignments[name]
        for facts in self._site.facts.statements:
            statement = facts.statement
            if isinstance(statement, tree.Declaration):
                if expression is not None and statement.name == name and statement.default is not None:
                    return Source(expression.node, None, 0, False, True)
            elif name in (target_parts(target)[0] for target in written_by(statement)):
                return self._assigned(name, facts, expression.node if expression is not None else None)
        return None

    def _assigned(self, name: str, facts: StatementFacts, expression: exp.Expression | None) -> Source | None:
        certain = self._dominates(facts)
        if expression is not None:
            return Source(expression, None, 0, False, certain, () if certain else self._skipped(name, facts))
        statement = facts.statement
        if not isinstance(statement, tree.Sql) or len(facts.sql) != 1 or not isinstance(facts.sql[0].node, exp.Select):
            return None
        names = [target_parts(target)[0] for target in statement.into]
        query = facts.sql[0].node
        if names.count(name) != 1 or any(value.find(exp.Star) for value in query.expressions):
            return None
        return Source(None, query, names.index(name), statement.strict, certain)

    def _dominates(self, facts: StatementFacts) -> bool:
        """Whether the statement has run, in full, each time the site runs."""
        return self._lies_before(facts) and not self._not_taken(facts)

    def _lies_before(self, facts: StatementFacts) -> bool:
        """Whether it has run where its conditions held."""
        here = self._site.statement
        return (
            facts.span.end <= here.span.start
            and facts.in_handler <= here.in_handler
            and facts.loop_depth <= here.loop_depth
            and {handler.span for handler in facts.handlers} <= {handler.span for handler in here.handlers}
        )

    def _not_taken(self, facts: StatementFacts) -> tuple[Condition, ...]:
        taken = {(condition.expression.fragment.span, condition.holds) for condition in self._site.statement.conditions}
        return tuple(
            condition
            for condition in facts.conditions
            if (condition.expression.fragment.span, condition.holds) not in taken
        )

    def _skipped(self, name: str, facts: StatementFacts) -> tuple[Condition, ...]:
        """The conditions that decide whether a variable declared without a value gets one before the site."""
        empty = any(
            isinstance(found.statement, tree.Declaration)
            and found.statement.name == name
            and found.statement.default is None
            for found in self._site.facts.statements
        )
        return self._not_taken(facts) if empty and self._lies_before(facts) else ()
