"""EXECUTE: which commands are known before they run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from trigger_audit.analysis.model import Expression
from trigger_audit.analysis.questions import branches
from trigger_audit.analysis.questions.parsing import Unreadable, parse
from trigger_audit.analysis.values import value_of
from trigger_audit.plpgsql import tree

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit, Site
    from trigger_audit.catalog.model import Catalog


def command_of(statement: object) -> tree.Fragment | None:
    """The text that a statement executes, or None where it executes none."""
    match statement:
        case tree.Execute() | tree.ForExecute():
            return statement.command
        case tree.ReturnQuery(dynamic=True):
            return statement.query
        case tree.Open(dynamic=True):
            return statement.query
    return None


def constant_command(site: Site, catalog: Catalog) -> str | None:
    """The text that the site's EXECUTE runs where it is always the same, else None."""
    command = command_of(site.statement.statement)
    if command is None:
        return None
    facts = next((sql for sql in site.statement.sql if sql.fragment is command), None)
    if facts is None or facts.node is None:
        return None
    constant = value_of(Expression(facts.node, command.text, command.span), site, catalog).constant
    return constant if constant is not None else _put_together(command.text, site)


def _put_together(text: str, site: Site) -> str | None:
    """What `||` and format() make of literals, the trigger's table, and variables that are assigned once."""
    known = dict(branches.constants(site.visit.table if site.visit.trigger is not None else None))
    for name, assigned in site.facts.assignments.items():
        value = _text(assigned.text, known) if assigned is not None else None
        if value is not None:
            known[name] = value
    return _text(text, known)


def _text(expression: str, known: Mapping[str, str]) -> str | None:
    try:
        return branches.text_of(parse(expression, is_expression=True), known)
    except Unreadable:
        return None


def unresolved_commands(site: Site, catalog: Catalog) -> Iterator[tree.Span]:
    """The place of the site's EXECUTE text where it is only known at run time."""
    command = command_of(site.statement.statement)
    if command is not None and constant_command(site, catalog) is None:
        yield command.span


def unresolved_places(audit: Audit) -> list[tuple[str, int]]:
    """The same for the whole cascade, as function and line of the text, in their order."""
    found = {
        (site.facts.function.name, site.facts.body.source.place(span.start)[0])
        for site in audit.cascade.sites
        if site.facts.body is not None
        for span in unresolved_commands(site, audit.catalog)
    }
    return sorted(found)
