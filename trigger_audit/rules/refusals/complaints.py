"""From what the server refused while parsing to findings: shared by the rules about names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from trigger_audit.findings.model import Finding, Proof
from trigger_audit.plpgsql import tree
from trigger_audit.rules.base import Meta, refusal

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit, Complaint, Site

# (message, why, fix) of one complaint at one site.
Wording = Callable[["Audit", "Site", "Complaint"], tuple[str, str, str]]


def complaint_findings(audit: Audit, meta: Meta, states: frozenset[str], wording: Wording) -> Iterator[Finding]:
    """One finding for each thing that a function names in vain, at its first place; the other lines are told.

    A missing table or type shows in every statement that names it: one root cause, one finding.
    """
    for (function, _state, _name), met in _grouped(audit, states).items():
        site, complaint = met[0]
        message, why, fix = wording(audit, site, complaint)
        body = site.facts.body
        if body is None:
            continue
        first_line = body.source.place(complaint.span.start)[0]
        lines = sorted({body.source.place(other.span.start)[0] for _, other in met} - {first_line})
        if lines:
            message += f" (also on line {', '.join(str(line) for line in lines)})"
        for same_site, same in met:
            if same.span != complaint.span or same_site.visit.function.oid != function:
                continue
            yield refusal(
                meta,
                same_site,
                complaint.span,
                message=message,
                why=why,
                fix=fix,
                cause=f"{complaint.sqlstate} {complaint.name}",
                proof=Proof.SERVER,
                sqlstate=complaint.sqlstate,
                at_compile_time=_at_compile_time(same_site, complaint),
            )


def _grouped(audit: Audit, states: frozenset[str]) -> dict[tuple[int, str, str], list[tuple[Site, Complaint]]]:
    """Complaints with the sites that reach them, by function, SQLSTATE and name, in the order of the text."""
    grouped: dict[tuple[int, str, str], list[tuple[Site, Complaint]]] = {}
    for site in audit.cascade.sites:
        visit = site.visit
        key = (visit.function.oid, visit.table.oid if visit.table else 0, visit.search_path)
        for complaint in audit.answers.complaints.get(key, ()):
            if complaint.sqlstate not in states or not _stands_in(site, complaint):
                continue
            name = complaint.name or f"@{complaint.span.start}"
            grouped.setdefault((visit.function.oid, complaint.sqlstate, name), []).append((site, complaint))
    for met in grouped.values():
        met.sort(key=lambda pair: pair[1].span.start)
    return grouped


def _stands_in(site: Site, complaint: Complaint) -> bool:
    """Whether the complaint is about this statement's own SQL: not about a statement nested in it."""
    at = complaint.span.start
    statement = site.statement.statement
    if isinstance(statement, tree.Declaration | tree.CursorDeclaration):
        return site.statement.span.start <= at < site.statement.span.end
    if any(facts.fragment.span.start <= at <= facts.fragment.span.end for facts in site.statement.sql):
        return True
    if isinstance(statement, tree.Assign):
        return statement.span.start <= at < statement.span.end
    return isinstance(statement, tree.Sql) and statement.span.start <= at < statement.span.end


def _at_compile_time(site: Site, complaint: Complaint) -> bool:
    """A type in a DECLARE section is looked up when PL/pgSQL compiles the function, before any block is entered."""
    statement = site.statement.statement
    return isinstance(statement, tree.Declaration) and (
        statement.type_span.start <= complaint.span.start < statement.type_span.end
    )
