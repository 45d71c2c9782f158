"""What the server would refuse Auth's own role, for a run that has to do with another one's rights.

The judgement is that of TA104 for privileges; for row security only what is certain: a table without any policy that
could let the role's command pass.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from trigger_audit.analysis.handlers import catching_line
from trigger_audit.analysis.privileges import requirements
from trigger_audit.auth.roles import ROLE
from trigger_audit.rules.base import operation, place_of
from trigger_audit.rules.refusals.ta104_missing_privilege import META, object_name

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Audit, Site, Write
    from trigger_audit.auth.model import Firing
    from trigger_audit.catalog.model import Role, Table

_COMMANDS = {"INSERT": "a", "UPDATE": "w", "DELETE": "d"}
_VALUES = re.compile(r"\bvalues\b", re.IGNORECASE)


def refused_to_auth(audit: Audit, flows: Collection[str] | None = None) -> tuple[str, ...]:
    """One sentence for each place that the flows (all where None) reach, and where Auth's role is refused.

    Only statements that run with that role's own rights: those of SECURITY INVOKER functions. `audit.answers.denied`
    must be there.
    """
    found: dict[str, None] = {}
    for site in audit.cascade.sites:
        firings = tuple(firing for firing in site.firings if flows is None or firing.flow in flows)
        if firings and site.visit.role == ROLE:
            found.update(dict.fromkeys(_of(audit, site, firings)))
    return tuple(found)


def _of(audit: Audit, site: Site, firings: tuple[Firing, ...]) -> Iterator[str]:
    """The first refusal of a statement: the server looks at privileges before it looks at policies."""
    needed = requirements(site, audit.catalog)
    missing = next((requirement for requirement in needed if requirement in audit.answers.denied), None)
    if missing is not None:
        kind, name = object_name(audit, missing)
        place = _place(site, next(iter(site.statement.writes), None))
        outcome = _outcome(site, firings, certain=True)
        yield f"{place}: {ROLE} lacks {missing.privilege} on {kind} {name}: {outcome}"
        return
    role = audit.catalog.roles[ROLE]
    for write in site.statement.writes:
        table = audit.catalog.table(write.target.schema, write.target.name, site.visit.search_path)
        if table is None or not _kept_out(table, role, write.kind):
            continue
        place = _place(site, write)
        if write.kind == "INSERT":
            certain = site.facts.body is not None and bool(_VALUES.search(site.facts.body.source.slice(write.span)))
            outcome = _outcome(site, firings, certain=certain)
            yield f"{place} inserts into {table.name}, which row security refuses to {ROLE}: {outcome}"
        else:
            verb = "updates" if write.kind == "UPDATE" else "deletes from"
            yield (
                f"{place} {verb} {table.name}, whose rows row security hides from {ROLE}: "
                f"{_real(firings, 'finds', 'find')} none there"
            )


def _kept_out(table: Table, role: Role, command: str) -> bool:
    """Whether no policy could let the role's command pass.

    Without a permissive policy that applies nothing passes (rowsecurity.c adds one that is always false).
    """
    if command not in _COMMANDS or not table.holds_back(role):
        return False
    return not any(
        policy.permissive and policy.command in ("*", _COMMANDS[command]) and policy.is_for(role)
        for policy in table.policies
    )


def _place(site: Site, write: Write | None) -> str:
    place = place_of(site.facts, site.statement.span if write is None else write.span)
    name = site.visit.function.name
    return name if place is None else f"{name} line {place.line}"


def _outcome(site: Site, firings: tuple[Firing, ...], *, certain: bool) -> str:
    assert META.sqlstate is not None
    handler = catching_line(site, META.sqlstate)
    if handler is not None:
        return f"{_real(firings, 'goes', 'go')} on in the handler on line {handler}"
    return f"{_real(firings, 'fails', 'fail')} {'there' if certain and site.certain else 'where it comes to that'}"


def _real(firings: tuple[Firing, ...], one: str, several: str) -> str:
    what = operation(firings)
    return f"the real {what.removeprefix('the ')} {several if what.endswith('flows') else one}"
