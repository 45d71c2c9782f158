"""What statements on the audited tables set off: trigger -> function -> calls and writes -> triggers, foreign keys too.

Depth first, in the order in which PostgreSQL fires. Every function runs as the role and under the search_path that it
has there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigger_audit.analysis.calls import Calls, sql_of
from trigger_audit.analysis.deletions import deletions
from trigger_audit.analysis.fired import Fired, Triggers
from trigger_audit.analysis.handlers import handlers_of
from trigger_audit.analysis.model import Cascade, Caught, Recursion, Site, Visit
from trigger_audit.analysis.recursion import Known, Leg, Link, Verdict, verdict
from trigger_audit.analysis.roots import Root, Script, root_of
from trigger_audit.analysis.sessions import Session, base_session
from trigger_audit.analysis.situations import Groups, Reach, Situation, by_actions, fired_by, grouped, root_changes
from trigger_audit.analysis.state import State
from trigger_audit.auth.roles import SCHEMA

if TYPE_CHECKING:
    from trigger_audit.analysis.model import BodyFacts, SqlFacts, StatementFacts, Write
    from trigger_audit.auth.model import Firing
    from trigger_audit.catalog.model import Catalog, Function, Table, Trigger

MOST_STEPS = 16
"""Functions on the way, the first included; what they set off beyond is not followed."""

_EVENTS = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
# From PostgreSQL 18 on an AFTER trigger runs as the role that was current when its event was queued. Before, as the one
# that is current when it fires: for a foreign key's action the role outside, for a deferred trigger the one at commit.
_QUEUING_ROLE_SINCE = 180000


def build_cascade(
    catalog: Catalog,
    tables: Sequence[Table],
    bodies: Callable[[Function], BodyFacts] | Mapping[int, BodyFacts],
    firings: Sequence[Firing],
    *,
    as_role: str | None,
    script: Script | None = None,
) -> Cascade:
    """The cascade of every event on the audited tables, behind that of the statements of a script.

    `bodies` gives a function's facts (a callable, or by oid). `firings` are Auth's statements; a table that none of
    them writes is taken to be written with any row, as `as_role` or its owner.
    """
    body_of = bodies if callable(bodies) else lambda function: bodies[function.oid]
    auth_roots = frozenset(table.oid for table in tables if table.schema == SCHEMA)
    triggers, calls = Triggers(catalog, body_of), Calls(catalog)
    shared = _Shared(catalog, body_of, triggers, calls, auth_roots, [], [], [], {}, Known(), [])
    if script is not None:
        _Walk(shared, root_of(script)).run_script(script.function)
    for table in tables:
        session = base_session(catalog, table, as_role)
        found = {
            event: tuple(firing for firing in firings if firing.table == table.name and firing.event == event)
            for event in _EVENTS
        }
        starts = {event: root_changes(table, event, found[event]) for event in _EVENTS}
        for trigger in catalog.triggers_by_table.get(table.oid, ()):
            for event in trigger.events if trigger.fires else ():
                own = Root(trigger, table, event, found[event], session)
                fired = [
                    (shared.triggers.firing(trigger, change, 0, ()), positions) for change, positions in starts[event]
                ]
                _Walk(shared, own).begin(fired)
        for event in ("UPDATE", "DELETE"):
            for trigger, fired in by_actions(shared.triggers, starts[event]):
                _Walk(shared, Root(trigger, table, event, found[event], session)).begin(fired)
    return Cascade(
        tuple(shared.visits),
        tuple(shared.sites),
        tuple(shared.recursions),
        deletions(catalog, tables),
        tuple(shared.unfollowed),
    )


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all walks have in common, and where they put what they find."""

    catalog: Catalog
    body_of: Callable[[Function], BodyFacts]
    triggers: Triggers
    calls: Calls
    auth_roots: frozenset[int]
    visits: list[Visit]
    sites: list[Site]
    recursions: list[Recursion]
    cycles: dict[object, bool]
    verdicts: Known
    unfollowed: list[Site]


@dataclass(frozen=True, slots=True)
class _Step:
    """A function about to run. `session` is the one outside it. `silent`: followed for its cycles only."""

    function: Function
    trigger: Trigger | None
    table: Table | None
    event: str | None
    session: Session
    situations: tuple[Situation, ...]
    caught: tuple[Caught, ...]
    link: Link | None
    silent: bool


class _Walk:
    """The cascade of one trigger and event."""

    def __init__(self, shared: _Shared, root: Root) -> None:
        self._shared = shared
        self._root = root
        self._legs: list[Leg] = []
        self._via: list[str] = []
        self._seen: set[object] = set()
        self._chosen: dict[tuple[int, ...], tuple[Firing, ...]] = {}

    def begin(self, found: Sequence[tuple[Fired, tuple[int, ...]]]) -> None:
        """Run the root trigger in the situations that it fires in.

        Where Auth's statements can never fire it, others may: it is looked at without them, and nothing is certain.
        """
        fires = [(fired, positions) for fired, positions in found if not fired.held]
        known = bool(fires)
        fires = fires or list(found)[:1]
        situations = [Situation(fired.state, fired.stored, at, fired.sure and known) for fired, at in fires]
        if not known:
            situations = [Situation(found.state, found.stored, (), False) for found in situations]
        first = fires[0][0]
        function = self._shared.catalog.functions.get(first.trigger.function)
        if function is not None:
            self._run(
                _Step(
                    function,
                    first.trigger,
                    first.change.table,
                    first.change.event,
                    self._session_of(first, self._root.session),
                    tuple(situations),
                    (),
                    None,
                    silent=False,
                )
            )

    def run_script(self, function: Function) -> None:
        situation = Situation(State("", None, None, 0, None, None), (), (), True)
        self._run(_Step(function, None, None, None, self._root.session, (situation,), (), None, silent=False))

    def _session_of(self, fired: Fired, outside: Session) -> Session:
        """The session in which a trigger is called."""
        queued = self._shared.catalog.server_version_num >= _QUEUING_ROLE_SINCE
        role = outside.role
        if fired.change.owner and (fired.trigger.timing == "BEFORE" or queued):
            # PostgreSQL runs a foreign key's action as the owner of the table that it changes.
            role = fired.change.owner
        if fired.trigger.initially_deferred:
            return Session(role if queued else self._root.session.role, self._root.session.path)
        return Session(role, outside.path)

    def _run(self, step: _Step) -> None:
        session = step.session.entering(step.function)
        positions = tuple(sorted({at for situation in step.situations for at in situation.firings}))
        sure = frozenset(at for situation in step.situations if situation.certain for at in situation.firings)
        key = (
            step.function.oid,
            step.trigger and step.trigger.oid,
            step.event,
            session,
            positions,
            sure,
            step.caught,
            # Another write may leave another row behind.
            step.link and step.link.write and id(step.link.write),
            step.silent,
        )
        if key in self._seen or len(self._legs) >= MOST_STEPS:
            return
        self._seen.add(key)
        facts = self._shared.body_of(step.function)
        name = step.function.name if step.trigger is None else self._shared.catalog.trigger_name(step.trigger)
        self._via.append(name)
        self._legs.append(Leg(step.trigger, step.event, facts, step.situations, step.link))
        visit = Visit(
            step.function,
            step.trigger,
            step.table,
            step.event,
            self._root.trigger,
            self._root.table,
            self._root.event,
            tuple(self._via),
            len(self._via) - 1,
            session.role,
            session.search_path(self._shared.catalog),
            self._firings(positions),
            frozenset(at for at, position in enumerate(positions) if position in sure),
            step.caught,
        )
        if not step.silent:
            self._shared.visits.append(visit)
        reach = Reach(step.situations)
        for statement in facts.statements:
            reached = reach.into(statement)
            if reached:
                self._statement(visit, facts, statement, tuple(reached), session, step)
        self._legs.pop()
        self._via.pop()

    def _statement(
        self,
        visit: Visit,
        facts: BodyFacts,
        statement: StatementFacts,
        reached: tuple[Situation, ...],
        session: Session,
        step: _Step,
    ) -> None:
        positions = tuple(sorted({at for situation in reached for at in situation.firings}))
        if self._root.firings:
            certain = any(
                not self._root.firings[at].latent
                for situation in reached
                if situation.certain
                for at in situation.firings
            )
        else:
            certain = any(situation.certain for situation in reached)
        site = Site(visit, facts, statement, self._firings(positions), certain)
        if not step.silent:
            self._shared.sites.append(site)
        caught: tuple[Caught, ...] | None = None
        for sql in sql_of(site, self._shared.catalog):
            if not sql.calls and not sql.writes:
                continue
            if caught is None:
                caught = (*handlers_of(facts, statement), *step.caught)
            for function in self._shared.calls.functions(sql, visit.search_path):
                self._call(function, Link(statement, sql, None, None), reached, session, caught, step.silent)
            for write in sql.writes:
                self._write(site, write, sql, reached, session, caught, step.silent)

    def _firings(self, positions: tuple[int, ...]) -> tuple[Firing, ...]:
        found = self._chosen.get(positions)
        if found is None:
            found = tuple(self._root.firings[at] for at in positions)
            self._chosen[positions] = found
        return found

    def _call(
        self,
        function: Function,
        link: Link,
        reached: tuple[Situation, ...],
        session: Session,
        caught: tuple[Caught, ...],
        silent: bool,
    ) -> None:
        if any(leg.trigger is None and leg.facts.function.oid == function.oid for leg in self._legs):
            # A helper that calls itself: its own statements are being looked at already.
            return
        sure = self._shared.calls.is_sure(link.sql)
        situations = tuple(situation.in_helper(sure) for situation in reached)
        self._run(_Step(function, None, None, None, session, situations, caught, link, silent))

    def _write(
        self,
        site: Site,
        write: Write,
        sql: SqlFacts,
        reached: tuple[Situation, ...],
        session: Session,
        caught: tuple[Caught, ...],
        silent: bool,
    ) -> None:
        shared = self._shared
        table = shared.catalog.table(write.target.schema, write.target.name, site.visit.search_path)
        if table is None:
            return
        link = Link(site.statement, sql, write, table)
        for function in shared.calls.of_defaults(write, table, site.visit.search_path):
            self._call(function, link, reached, session, caught, silent)
        if not shared.triggers.concern(table, write.kind):
            return
        endless = False
        if table.oid in shared.auth_roots:
            # Auth's audited tables have their triggers as roots of their own: from elsewhere they are only followed
            # back to where the way came from, and not from a cycle that never ends anyway.
            running = frozenset(leg.trigger.oid for leg in self._legs if leg.trigger is not None)
            endless = self._close(site, link, *grouped(fired_by(shared.triggers, write, sql, table, reached, running)))
            if silent or (endless and write.kind not in ("DELETE", "MERGE")):
                return
        groups, held = grouped(fired_by(shared.triggers, write, sql, table, reached))
        self._close(site, link, groups, held)
        for group in groups.values():
            fired = group[0][0]
            is_root = fired.trigger.table in shared.auth_roots and not fired.change.owner
            if self._running(fired) is not None or (is_root and (endless or silent)):
                continue
            if (silent or is_root) and shared.verdicts.full:
                # Followed for its cycles only, and there are too many already.
                shared.unfollowed.append(site)
                continue
            target = shared.catalog.functions.get(fired.trigger.function)
            if target is None:
                continue
            self._run(
                _Step(
                    target,
                    fired.trigger,
                    fired.change.table,
                    fired.change.event,
                    self._session_of(fired, session),
                    tuple(situation.set_off(each) for each, situation in group),
                    # A handler is gone by the time a deferred trigger fires.
                    () if fired.trigger.initially_deferred else caught,
                    link,
                    silent or is_root,
                )
            )

    def _close(self, site: Site, link: Link, groups: Groups, held: Mapping[object, Fired]) -> bool:
        """Note the cycles that a write closes; tell whether one never ends."""
        endless = False
        for key, fired in held.items():
            if key not in groups and self._running(fired) is not None:
                self._recursion(site, link, fired, guarded=True)
        for group in groups.values():
            if self._running(group[0][0]) is not None:
                endless = self._recursion(site, link, group[0][0], guarded=False) or endless
        return endless

    def _running(self, fired: Fired) -> int | None:
        """Where on the way the same trigger runs for the same event."""
        for at, leg in enumerate(self._legs):
            if leg.trigger is not None and leg.trigger.oid == fired.trigger.oid and leg.event == fired.change.event:
                return at
        return None

    def _recursion(self, site: Site, link: Link, fired: Fired, *, guarded: bool) -> bool:
        """Note the cycle that a write closes; tell whether it never ends."""
        start = self._running(fired)
        if start is None or link.write is None:
            return False
        shared = self._shared
        legs = self._legs[start:]
        triggers = [leg.trigger for leg in legs if leg.trigger is not None]
        names = tuple(shared.catalog.trigger_name(trigger) for trigger in triggers)
        turn = min(range(len(names)), key=lambda at: names[at:] + names[:at])
        # The same cycle is met from each of its triggers.
        root = None if start == 0 else self._root.trigger.oid
        key = (names[turn:] + names[:turn], id(link.write), root, self._root.event)
        known = shared.cycles.get(key)
        if known is not None:
            return known
        outcome = Verdict.STOPS if guarded else verdict(shared.triggers, legs, link, shared.verdicts)
        if outcome is None:
            shared.unfollowed.append(site)
            outcome = Verdict.DEPENDS
        shared.cycles[key] = outcome is Verdict.EVER
        tables = tuple(dict.fromkeys(shared.catalog.tables[trigger.table].name for trigger in triggers))
        shared.recursions.append(
            Recursion(
                site,
                link.write,
                fired.trigger,
                (*names, names[0]),
                tables,
                guarded=outcome is not Verdict.EVER,
                undecided=outcome is Verdict.DEPENDS,
            )
        )
        return outcome is Verdict.EVER
