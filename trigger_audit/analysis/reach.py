"""What statements reach beside the bodies that they call: what PostgreSQL runs on its own for tables and types.

A write evaluates defaults, generated columns, constraints, domains, indexes, policies, rules and WHEN conditions; a
read evaluates views and policies; operators, casts and aggregates are functions too. Whatever user function stands
behind one of these is followed as if it were called, and what its body does in turn.

It is coarse where the cascade is exact: a condition in a body found this way is taken to hold, and where types decide
(which operator, which cast), names do. That is right for its one use, to find what must not run: what is harmless
stays harmless however often it is reached.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from trigger_audit.analysis.calls import Calls, sql_of
from trigger_audit.analysis.cascade import MOST_STEPS
from trigger_audit.analysis.dynamic import command_of
from trigger_audit.analysis.evaluated import Use, defaults_of, events_of, is_evaluated
from trigger_audit.analysis.model import Site, Visit
from trigger_audit.analysis.sessions import Session, base_session
from trigger_audit.analysis.statements import read_statement
from trigger_audit.analysis.unspelt import Unspelt
from trigger_audit.analysis.ways import START, UNKNOWN, At, Touch, Ways, does_more
from trigger_audit.auth.roles import SCHEMA
from trigger_audit.catalog.model import Trigger
from trigger_audit.plpgsql import tree

if TYPE_CHECKING:
    from trigger_audit.analysis.model import BodyFacts, Cascade, SqlFacts
    from trigger_audit.auth.model import Firing
    from trigger_audit.catalog.model import Catalog, Function, Table, Type
    from trigger_audit.catalog.stored import Behind, Stored

# Bodies that are read, and code that PostgreSQL and extensions bring along.
_EFFECT_KNOWN = frozenset({"plpgsql", "sql", "c", "internal"})


@dataclass(frozen=True, slots=True)
class Reached:
    """`sites` are statements of functions that no body calls; `stored` the expressions that are evaluated.

    `functions` are those without a body that can be read. `natives` are functions that are not the catalog's, built in
    or of an extension, behind an operator, cast or aggregate: (that, the function's oid). `foreign` are writes to
    foreign tables behind views, rules and partitions: (event, table, what led there), and reads of those whose rows are
    a program's output. `filled` are the columns that an
    INSERT leaves to their default. `ways` tell which trigger leads to what, those of the cascade included.
    """

    sites: tuple[Site, ...]
    stored: tuple[Stored, ...]
    functions: tuple[Function, ...]
    natives: tuple[tuple[str, int], ...]
    foreign: tuple[tuple[str, Table, str], ...]
    filled: frozenset[tuple[int, str]]
    ways: Ways


def reached(
    cascade: Cascade,
    catalog: Catalog,
    behind: Behind,
    bodies: Callable[[Function], BodyFacts],
    firings: Iterable[Firing],
) -> Reached:
    """All that the cascade's statements and Auth's own reach."""
    walk = _Walk(catalog, behind, bodies)
    walk.begin(cascade, firings)
    return Reached(
        tuple(walk.sites),
        tuple(walk.stored.values()),
        tuple(walk.functions.values()),
        tuple(walk.natives),
        tuple(walk.foreign),
        frozenset(walk.filled),
        walk.ways,
    )


class _Walk:
    def __init__(self, catalog: Catalog, behind: Behind, bodies: Callable[[Function], BodyFacts]) -> None:
        self._catalog = catalog
        self._behind = behind
        self._body_of = bodies
        self._calls = Calls(catalog)
        self._names = frozenset(name for _, name in catalog.functions_by_name)
        self._unspelt = Unspelt(catalog, behind)
        self._paths: dict[Session, tuple[str, ...]] = {}
        self._todo: list[Callable[[], None]] = []
        self._seen: set[object] = set()
        self.sites: list[Site] = []
        self.stored: dict[Stored, Stored] = {}
        self.functions: dict[int, Function] = {}
        self.natives: dict[tuple[str, int], None] = {}
        self.foreign: list[tuple[str, Table, str]] = []
        self.filled: set[tuple[int, str]] = set()
        self.ways = Ways()
        self._triggers = {catalog.trigger_name(trigger): trigger.oid for trigger in catalog.triggers}

    def begin(self, cascade: Cascade, firings: Iterable[Firing]) -> None:
        roots = {visit.root_table.oid for visit in cascade.visits}
        tables = {table.name: table for table in self._catalog.tables.values() if table.schema == SCHEMA}
        for firing in firings:
            table = tables.get(firing.table)
            if table is not None:
                session = base_session(self._catalog, table, None)
                # Which columns an INSERT of Auth leaves out depends on the version of the schema.
                defaults = None if firing.event == "INSERT" else frozenset[str]()
                fires = table.oid not in roots
                self._use(Use(table.oid, firing.event, defaults, session, fires, table.name))
                self._everywhere(session)
        for visit in cascade.visits:
            session = Session(visit.role, visit.search_path)
            self._everywhere(session)
            with self.ways.following(self._way(visit)):
                self._body(self._body_of(visit.function), session)
        for recursion in cascade.recursions:
            self._lead(recursion.cycle)
        seen: set[tuple[int, str, tuple[str, ...], Hashable]] = set()
        for site in cascade.sites:
            # The cascade ends there, but functions go on calling.
            follow = site.visit.depth >= MOST_STEPS - 1
            way = self._way(site.visit)
            key = id(site.statement), site.visit.role, site.visit.search_path, way
            if key not in seen or follow:
                seen.add(key)
                with self.ways.following(way):
                    self._site(site, follow=follow)
        while self._todo:
            self._todo.pop()()

    def _way(self, visit: Visit) -> Hashable:
        """The last trigger on the way to a visit of the cascade, START where there is none."""
        passed = self._lead(visit.via)
        if passed:
            self.ways.connect(START, passed[0])
        return passed[-1] if passed else START

    def _lead(self, names: tuple[str, ...]) -> list[At]:
        passed = [At(self._triggers[name]) for name in names if name in self._triggers]
        for outer, inner in pairwise(passed):
            self.ways.connect(outer, inner)
        return passed

    def _everywhere(self, session: Session) -> None:
        if session not in self._seen:
            self._seen.add(session)
            for label, oid in self._unspelt.always():
                self._function(oid, session, label)

    # Functions and what stands in them

    def _function(
        self, oid: int, session: Session, by: str, trigger: Trigger | None = None, event: str | None = None
    ) -> None:
        """Follow a function as if it were called. What is not the catalog's own is known by its name alone."""
        function = self._catalog.functions.get(oid)
        if function is None:
            self.natives[by, oid] = None
            return
        key = oid, session, trigger and trigger.oid, event
        if self._is_new(key):
            self._later(key, lambda: self._run(function, session.entering(function), trigger, event))

    def _is_new(self, node: Hashable) -> bool:
        """Leads from what is followed to the node, and says whether it is met for the first time."""
        self.ways.lead_to(node)
        is_new = node not in self._seen
        self._seen.add(node)
        return is_new

    def _later(self, node: Hashable, follow: Callable[[], None]) -> None:
        def work() -> None:
            with self.ways.following(node):
                follow()

        self._todo.append(work)

    def _run(self, function: Function, session: Session, trigger: Trigger | None, event: str | None) -> None:
        for support in self._behind.supports.get(function.oid, ()):
            self._function(support, session, function.name)
        facts = self._body_of(function)
        self._body(facts, session)
        visit = self._visit(function, session, trigger, event)
        for statement in facts.statements:
            site = Site(visit, facts, statement, (), False)
            self.sites.append(site)
            self._site(site, follow=True)

    def _visit(self, function: Function, session: Session, trigger: Trigger | None, event: str | None) -> Visit:
        catalog = self._catalog
        root = trigger or Trigger(
            0, "", 0, function.oid, "AFTER", ("INSERT",), "STATEMENT", (), None, "origin", False, False, False, None,
            None, (), 1,
        )  # fmt: skip
        table = catalog.tables[root.table] if trigger is not None else next(iter(catalog.tables.values()))
        return Visit(
            function, trigger, table if trigger is not None else None, event, root, table, event or "INSERT",
            (function.name,), 0, session.role, self._path(session), (), frozenset(), (),
        )  # fmt: skip

    def _body(self, facts: BodyFacts, session: Session) -> None:
        """What a body reaches through the types and operators that it names, whatever statement it stands in."""
        function = facts.function
        if facts.body is None:
            self.functions[function.oid] = function
            if function.language not in _EFFECT_KNOWN:
                self.ways.lead_to(UNKNOWN)
        node = "body", function.oid, session
        if not self._is_new(node):
            return
        with self.ways.following(node):
            for oid in (*(oid for _, oid in function.arguments), function.returns):
                self._type(oid, session)
            for stored in self._behind.by_owner.get(function.oid, ()):
                self._stored(stored, session, function.name)
            self._text(function.source, session)

    def _text(self, text: str, session: Session) -> None:
        for oid in self._unspelt.types_in(text):
            self._type(oid, session)
        for label, oid in self._unspelt.functions_in(text):
            self._function(oid, session, label)

    def _site(self, site: Site, *, follow: bool) -> None:
        session = Session(site.visit.role, site.visit.search_path)
        found = sql_of(site, self._catalog)
        for executed in found[len(site.statement.sql) :]:
            self._text(executed.fragment.text, session)
        dynamic = command_of(site.statement.statement) is not None and len(found) == len(site.statement.sql)
        if dynamic or any(map(does_more, found)):
            self.ways.lead_to(UNKNOWN)
        for sql in found:
            self._sql(sql, session, site.facts.function.name, follow=follow)

    def _path(self, session: Session) -> tuple[str, ...]:
        found = self._paths.get(session)
        if found is None:
            found = self._paths[session] = session.search_path(self._catalog)
        return found

    def _sql(self, sql: SqlFacts, session: Session, by: str, *, follow: bool) -> None:
        path = self._path(session)
        for call in sql.calls:
            aggregate = self._unspelt.aggregates.get(call.name)
            if aggregate is not None:
                self._function(aggregate.oid, session, by)
        meant = self._calls.functions(sql, path)
        for function in (*meant, *self._others(sql, path)):
            if follow or function not in meant:
                self._function(function.oid, session, by)
            for stored in self._behind.by_owner.get(function.oid, ()):
                self._stored(stored, session, by)
        for read in sql.reads:
            table = self._catalog.table(read.schema, read.name, path)
            if table is not None:
                self._use(Use(table.oid, "SELECT", frozenset(), session, follow, by))
        for write in sql.writes:
            table = self._catalog.table(write.target.schema, write.target.name, path)
            if table is not None:
                for event in events_of(write):
                    self._use(Use(table.oid, event, defaults_of(write, event, table), session, follow, by))

    def _others(self, sql: SqlFacts, path: tuple[str, ...]) -> Iterator[Function]:
        """Functions of later schemas, which the types of the arguments may decide for."""
        for call in sql.calls:
            if call.schema is None and call.name in self._names:
                for schema in path:
                    for function in self._catalog.functions_by_name.get((schema, call.name), ()):
                        callable_ = function.kind in ("f", "p") and not function.returns_trigger
                        if callable_ and function.takes(call.arguments):
                            yield function

    # Tables and types

    def _use(self, use: Use) -> None:
        if self._is_new(use):
            self._later(use, lambda: self._used(use))

    def _used(self, use: Use) -> None:
        table = self._catalog.tables.get(use.table)
        if table is None:
            return
        oid, event, session = use.table, use.event, use.session
        self.ways.lead_to(Touch(oid, event))
        for stored in self._behind.by_owner.get(oid, ()):
            if is_evaluated(stored, use, table, self._catalog):
                self._stored(stored, session, use.by)
        for child in self._behind.children.get(oid, ()):
            part = self._catalog.tables.get(child)
            if part is not None and part.kind == "f" and event != "SELECT":
                self.foreign.append((event, part, use.by))
            self._use(Use(child, event, use.defaults, session, True, use.by))
        if event == "SELECT":
            if oid in self._behind.programs:
                self.foreign.append((event, table, use.by))
            return
        if event == "INSERT":
            names = use.defaults if use.defaults is not None else frozenset(column.name for column in table.columns)
            self.filled.update((oid, name) for name in names)
        if event in ("INSERT", "UPDATE"):
            for column in table.columns:
                self._type(column.type_oid, session)
            for support in self._behind.supports.get(oid, ()):
                self._function(support, session, f"{table.name} index")
        if table.kind == "v":
            self._through(table, use)
        for trigger in self._catalog.triggers_by_table.get(oid, ()) if use.fires else ():
            if trigger.fires and event in trigger.events:
                self.ways.lead_to(At(trigger.oid))
                with self.ways.following(At(trigger.oid)):
                    self._function(trigger.function, session, table.name, trigger, event)
        self._actions(table, use)

    def _through(self, view: Table, use: Use) -> None:
        """A write to a view that PostgreSQL rewrites to one of its table, as the view's owner.

        What the view selects is evaluated too: for CHECK OPTION, RETURNING, and the rows that are changed.
        """
        owner = Session(view.owner, use.session.path)
        for stored in self._behind.by_owner.get(view.oid, ()):
            if stored.kind == "rule" and stored.definition is None:
                self._stored(stored, use.session, use.by)
                for oid in stored.relations:
                    table = self._catalog.tables.get(oid)
                    if table is not None and table.kind == "f":
                        self.foreign.append((use.event, table, view.name))
                    if oid != view.oid:
                        self._use(Use(oid, use.event, None, owner, True, view.name))

    def _actions(self, table: Table, use: Use) -> None:
        """What foreign keys do to the rows that reference one that goes or changes."""
        for other, constraint in self._catalog.referencing.get(table.oid, ()):
            action = {"DELETE": constraint.on_delete, "UPDATE": constraint.on_update}.get(use.event, "")
            if action in ("c", "n", "d"):
                session = Session(other.owner, use.session.path)
                event = "DELETE" if action == "c" and use.event == "DELETE" else "UPDATE"
                defaults = frozenset(constraint.columns) if action == "d" else frozenset()
                self._use(Use(other.oid, event, defaults, session, use.fires, use.by))

    def _type(self, oid: int, session: Session) -> None:
        """A domain's constraints and default, a range's functions, and the same for what a type is made of."""
        known = self._catalog.types.get(oid)
        if known is None:
            return
        node = "type", oid, session
        if self._is_new(node):
            with self.ways.following(node):
                self._made_of(oid, known, session)

    def _made_of(self, oid: int, known: Type, session: Session) -> None:
        for stored in self._behind.by_owner.get(oid, ()):
            self._stored(stored, session, f"{known.schema}.{known.name}")
        for support in self._behind.supports.get(oid, ()):
            self._function(support, session, f"{known.schema}.{known.name}")
        for inner in (known.base, known.element):
            if inner is not None:
                self._type(inner, session)
        table = self._catalog.tables.get(known.relation) if known.relation is not None else None
        for column in table.columns if table is not None else ():
            self._type(column.type_oid, session)

    def _stored(self, stored: Stored, session: Session, by: str) -> None:
        node = stored, session
        if self._is_new(node):
            self.stored[stored] = stored
            with self.ways.following(node):
                self._evaluate(stored, session, by)

    def _evaluate(self, stored: Stored, session: Session, by: str) -> None:
        for oid in stored.functions:
            if oid in self._catalog.functions:
                self._function(oid, session, by)
            for default in self._behind.by_owner.get(oid, ()):
                self._stored(default, session, by)
        for oid in stored.types:
            self._type(oid, session)
        if stored.definition is not None:
            rule = read_statement(tree.Fragment(stored.definition, tree.Span(0, len(stored.definition))))
            table = self._catalog.tables.get(stored.owner)
            label = f"{table.name} rule {stored.name}" if table is not None else by
            for write in rule.writes:
                target = self._catalog.table(write.target.schema, write.target.name, ())
                if target is not None and target.kind == "f":
                    self.foreign.append((write.kind, target, label))
            # PostgreSQL looks at a rule's tables as the owner of the rule's own.
            owner = session if table is None else Session(table.owner, session.path)
            self._sql(rule, owner, label, follow=True)
        for oid in stored.relations:
            self._use(Use(oid, "SELECT", frozenset(), session, True, by))
            if stored.kind == "rule" and stored.owner in self._catalog.tables:
                # A view's tables are read as its owner, unless it is security_invoker.
                owner = Session(self._catalog.tables[stored.owner].owner, session.path)
                self._use(Use(oid, "SELECT", frozenset(), owner, True, by))
