"""Handlers that fail themselves: what PostgreSQL refuses in a handler goes outwards, as if the handler raised it.

The server's answers say which statements of a handler it refuses; one that always runs there makes the handler useless.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from trigger_audit.analysis.privileges import requirements
from trigger_audit.plpgsql import tree

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Answers, Cascade, Site, StatementFacts, Visit
    from trigger_audit.catalog.model import Catalog

_Failing = frozenset[tuple[str, int]]
"""(function, where in its body the handler begins)."""


def without_useless_handlers(cascade: Cascade, catalog: Catalog, answers: Answers) -> Cascade:
    """The cascade in which handlers that fail for sure are seen to raise."""
    if not answers.complaints and not answers.denied:
        return cascade
    own: dict[int, set[tuple[str, int]]] = {}
    for site in cascade.sites:
        if site.statement.in_handler and _refused(site, catalog, answers):
            handler = _always_run_by(site)
            if handler is not None:
                own.setdefault(id(site.visit), set()).add((site.visit.function.name, handler.span.start))
    if not own:
        return cascade
    # A function may run under several search paths, and a caller is known by its name: only what fails in all of them.
    visits: dict[str, list[Visit]] = {}
    for visit in cascade.visits:
        visits.setdefault(visit.function.name, []).append(visit)
    everywhere = frozenset(
        key
        for key in {key for keys in own.values() for key in keys}
        if all(key in own.get(id(visit), ()) for visit in visits[key[0]])
    )
    changed = {id(visit): _visit(visit, everywhere) for visit in cascade.visits}

    def seen(site: Site) -> Site:
        visit = changed.get(id(site.visit), site.visit)
        failing = frozenset(own.get(id(site.visit), ()))
        statement = _statement(site.statement, site.visit.function.name, failing)
        return (
            site
            if visit is site.visit and statement is site.statement
            else replace(site, visit=visit, statement=statement)
        )

    return replace(
        cascade,
        visits=tuple(changed[id(visit)] for visit in cascade.visits),
        sites=tuple(seen(site) for site in cascade.sites),
        recursions=tuple(replace(found, site=seen(found.site)) for found in cascade.recursions),
    )


def _refused(site: Site, catalog: Catalog, answers: Answers) -> bool:
    """Whether PostgreSQL refuses the statement itself, what stands inside it left out."""
    visit = site.visit
    fragments = [sql.fragment for sql in site.statement.sql]
    if isinstance(site.statement.statement, tree.If | tree.Case):
        # Whether the later conditions are looked at depends on the first.
        fragments = fragments[:1]
    for complaint in answers.complaints.get(
        (visit.function.oid, visit.table.oid if visit.table else 0, visit.search_path), ()
    ):
        at = complaint.span.start
        if any(fragment.span.start <= at <= fragment.span.end for fragment in fragments):
            return True
    return bool(answers.denied) and not answers.denied.isdisjoint(requirements(site, catalog))


def _always_run_by(site: Site) -> tree.Handler | None:
    """The handler that runs this statement each time, or None."""
    assert site.facts.body is not None
    for block in tree.walk(site.facts.body.block):
        if isinstance(block, tree.Block):
            for handler in block.handlers:
                if any(statement is site.statement.statement for statement in _always(handler.body)):
                    return handler
    return None


def _always(body: tuple[tree.Statement, ...]) -> Iterator[tree.Statement]:
    """The statements that run whenever the list does: up to the first that may leave it."""
    for statement in body:
        if isinstance(statement, tree.Block) and not statement.handlers:
            yield from _always(statement.body)
        else:
            yield statement
        inner = tree.walk(statement)
        if any(isinstance(found, tree.Return | tree.Exit | tree.Raise) and _leaves(found) for found in inner):
            return


def _leaves(statement: tree.Statement) -> bool:
    return not isinstance(statement, tree.Raise) or statement.level == "exception"


def _visit(visit: Visit, failing: _Failing) -> Visit:
    if not any((caught.function, caught.handler.span.start) in failing for caught in visit.caught):
        return visit
    return replace(
        visit,
        caught=tuple(
            replace(caught, handler=_raising(caught.handler))
            if (caught.function, caught.handler.span.start) in failing
            else caught
            for caught in visit.caught
        ),
    )


def _statement(statement: StatementFacts, function: str, failing: _Failing) -> StatementFacts:
    if not any((function, handler.span.start) in failing for handler in statement.handlers):
        return statement
    return replace(
        statement,
        handlers=tuple(
            _raising(handler) if (function, handler.span.start) in failing else handler
            for handler in statement.handlers
        ),
    )


def _raising(handler: tree.Handler) -> tree.Handler:
    """The handler as PostgreSQL runs it: an exception comes out of it before it has kept anything."""
    failure = tree.Raise("exception", None, None, (), (), rethrows=True, span=handler.span)
    return replace(handler, body=(failure, *handler.body))
