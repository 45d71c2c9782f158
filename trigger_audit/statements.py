"""The phases for the user's own statements: script, catalog, cascade of what they write, hazards, run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from trigger_audit.errors import UsageError
from trigger_audit.resources import read_sql
from trigger_audit.visible import plain

if TYPE_CHECKING:
    from typing import Any

    import psycopg

    from trigger_audit.analysis.hazards import Effects
    from trigger_audit.analysis.model import BodyFacts, Cascade, Hazard
    from trigger_audit.catalog.model import Catalog, Function, Table
    from trigger_audit.catalog.stored import Behind
    from trigger_audit.findings.model import NotAnalysed
    from trigger_audit.opening import TargetInfo
    from trigger_audit.pipeline import SmokeOptions, SmokeResult
    from trigger_audit.smoke.own import Own
    from trigger_audit.smoke.script import OwnStatement, Script, Target
    from trigger_audit.smoke.session import Part
    from trigger_audit.unmade import Unmade

_DEFAULT_PATH = '"$user", public'
# Reading one takes seconds a megabyte. What triggers do with its rows is then judged as for any row.
_LONG = 100_000
_SETS_CLAIMS = re.compile(r"\bset_config\s*\(\s*'request\.jwt\.claim", re.IGNORECASE)
_NO_LINE_END = re.compile(r"[^\n]")


def smoke_statements(
    connection: psycopg.Connection[Any],
    target: TargetInfo,
    script: Script,
    options: SmokeOptions,
    *,
    as_role: str | None = None,
    not_applied: Sequence[NotAnalysed] = (),
    unmade: Sequence[Unmade] = (),
    announce: Callable[[Sequence[str]], None] | None = None,
) -> SmokeResult:
    """Look for hazards in what the statements set off, then run them and roll them back. Raises TriggerAuditError.

    As `as_role`, without it as the login's own role. Of the options only those count that say what may be done.
    """
    from trigger_audit.analysis.sessions import Session
    from trigger_audit.catalog.load import load_catalog
    from trigger_audit.catalog.model import split_search_path
    from trigger_audit.catalog.stored import load_stored
    from trigger_audit.database.connect import read_only
    from trigger_audit.pipeline import SmokeResult, evidence_of, what_is_missing
    from trigger_audit.smoke.own import run_statements
    from trigger_audit.smoke.script import read_script

    if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
        # The connection takes every byte for a character (database/connect.py), the file's bytes too.
        script = read_script(script.name, script.text.encode().decode("latin-1"))
    with read_only(connection):
        # What RESET would bring back: our own reading is done with nothing on the path.
        path = connection.execute(read_sql("database/search_path.sql")).fetchone()
        catalog = load_catalog(connection)
        part = _part(catalog, as_role, "" if path is None else path[0])
        behind = load_stored(connection, catalog)
        missing = what_is_missing(connection, unmade)
    session = Session(part.role, split_search_path(part.search_path))
    seen = _Seen(script, catalog, behind, session.search_path(catalog))
    cascade, bodies = seen.cascade(session)
    found = seen.effects(cascade, bodies)
    report = run_statements(
        connection,
        seen.own(part, (*_gaps(catalog, part.role, as_role, script), *seen.unread())),
        hazards=(*found.hazards, *seen.unread_calls()),
        allow_side_effects=options.allow_side_effects,
        target=asdict(target),
        evidence=evidence_of(catalog, cascade, found.ways, bodies, options),
        excuse=missing.excuse if unmade else None,
        ready=None if announce is None else partial(announce, found.sequences),
    )
    return SmokeResult(report, catalog.sources, tuple(not_applied))


def _part(catalog: Catalog, as_role: str | None, own_path: str) -> Part:
    """The role with the path that its sessions start with; the login's own has the connection's."""
    from trigger_audit.smoke.session import Part

    if as_role is None:
        return Part(catalog.user, own_path)
    if as_role not in catalog.roles:
        raise UsageError(f"there is no role {plain(as_role)} on this server")
    path = catalog.roles[as_role].settings.get("search_path", catalog.settings.get("search_path", _DEFAULT_PATH))
    return Part(as_role, path)


def _gaps(catalog: Catalog, role: str, as_role: str | None, script: Script) -> Iterator[str]:
    from trigger_audit.auth.roles import API_ROLES

    known = catalog.roles[role]
    if known.superuser or known.bypass_rls:
        passed = "rights and row security do" if known.superuser else "row security does"
        yield f"{passed} not hold {role} back: --as-role shows what another role meets"
    if as_role is None:
        return
    if as_role in API_ROLES and not any(_SETS_CLAIMS.search(each.text) for each in script.statements):
        yield (
            "request.jwt.claims is not set, so that auth.uid() is NULL: a first statement may set it "
            """(SELECT set_config('request.jwt.claims', '{"sub": "..."}', true))"""
        )
    others = sorted(name for name in known.settings if name != "search_path")
    if others:
        yield f"of what {as_role} is set to start with only search_path is taken, not {', '.join(others)}"


@dataclass(frozen=True)
class _Seen:
    """The script with what its names mean in this database, under the path of its session.

    Without slots, for it keeps what it has once worked out.
    """

    script: Script
    catalog: Catalog
    behind: Behind
    path: tuple[str, ...]

    def cascade(self, session: Any) -> tuple[Cascade, dict[int, BodyFacts]]:
        """What the statements set off.

        A view is not followed to its table, nor a table to its partitions, nor a statement that is not read: those
        tables are taken to be written with any row.
        """
        from trigger_audit.analysis.bodies import reading
        from trigger_audit.analysis.cascade import build_cascade
        from trigger_audit.analysis.roots import Script as Root

        bodies: dict[int, BodyFacts] = {}
        unread = self._tables(self._unread)
        tables = self._tables(self.script.statements)
        further = {**unread, **self._further(tables)}
        cascade = build_cascade(
            self.catalog,
            tuple(further.values()),
            reading(bodies),
            (),
            as_role=session.role,
            script=Root(self._function, session),
        )
        return cascade, bodies

    def effects(self, cascade: Cascade, bodies: Mapping[int, BodyFacts]) -> Effects:
        """Those of the statements themselves bear the file's name. `bodies` are the cascade's."""
        from trigger_audit.analysis.bodies import reading
        from trigger_audit.analysis.effects import FOREIGN
        from trigger_audit.analysis.hazards import effects
        from trigger_audit.analysis.model import Hazard

        found = effects(cascade, self.catalog, self.behind, reading(dict(bodies)), ())
        own = self._function.name
        hazards = [
            replace(hazard, function=self.script.name) if hazard.function == own else hazard for hazard in found.hazards
        ]
        for statement in self._unread:
            tables = self._tables([statement])
            for table in (*tables.values(), *self._further(tables).values()):
                if table.kind == "f":
                    call = f"{statement.kind} {table.name}"
                    hazards.append(Hazard(self.script.name, statement.line, call, FOREIGN))
        return replace(
            found,
            hazards=tuple(hazards),
            sequences=tuple(name.replace(own, self.script.name) for name in found.sequences),
        )

    def own(self, part: Part, gaps: tuple[str, ...]) -> Own:
        from trigger_audit.smoke.own import Labelled, Own

        tables = self._tables(self.script.statements).values()
        role = self.catalog.roles[part.role]
        held = {table.oid for table in tables if table.holds_back(role)}
        statements = tuple(
            Labelled(
                each.text,
                self._label(each),
                each.kind,
                bool(each.targets),
                self._certain(each),
                not held.isdisjoint(self._tables([each])),
            )
            for each in self.script.statements
        )
        return Own(statements, part, tuple((table.schema, table.relation) for table in tables), gaps)

    def unread_calls(self) -> Iterator[Hazard]:
        """What is not looked at may do anything: refused like what is known to."""
        from trigger_audit.analysis.model import Hazard

        for each in self._unread:
            if each.calls:
                effect = "is not looked at, for the statement is too long or nested too deeply: shorten it"
                yield Hazard(f"script {self.script.name}", each.line, f"functions in {self._label(each)}", effect)

    def unread(self) -> Iterator[str]:
        for statement in self._unread:
            number = self.script.statements.index(statement) + 1
            yield f"statement {number} ({self._label(statement)}) is not read: what functions in it do is not looked at"

    def _tables(self, statements: Iterable[OwnStatement]) -> dict[int, Table]:
        """What they write, by oid, in their order."""
        return {
            table.oid: table
            for statement in statements
            for found in statement.targets
            if (table := self._table(found)) is not None
        }

    @cached_property
    def _unread(self) -> list[OwnStatement]:
        """Statements that are too long to be read, or that the reader refuses (nested too deeply, for instance)."""
        from trigger_audit.analysis.bodies import read_body

        read = read_body(self._function)
        refused = [sql.fragment.span.start for each in read.statements for sql in each.sql if sql.refused is not None]
        return [
            statement
            for statement in self.script.statements
            if len(statement.text) > _LONG
            or read.problem is not None
            or any(statement.start <= at < statement.start + len(statement.text) for at in refused)
        ]

    def _table(self, target: Target) -> Table | None:
        return self.catalog.table(target.schema, target.relation, self.path)

    def _label(self, statement: OwnStatement) -> str:
        if not statement.targets:
            return statement.kind
        first = statement.targets[0]
        table = self._table(first)
        written = ".".join(part for part in (first.schema, first.relation) if part)
        label = f"{first.kind} {written if table is None else table.name}"
        return f"WITH {label}" if statement.kind == "SELECT" else label

    def _certain(self, statement: OwnStatement) -> int | None:
        """How many rows an INSERT must bring; a rule may rewrite it to anything."""
        table = self._table(statement.targets[0]) if statement.targets else None
        if table is None or table.kind not in ("r", "p"):
            return None
        rules = any(stored.kind == "rule" for stored in self.behind.by_owner.get(table.oid, ()))
        return None if rules else statement.rows

    @cached_property
    def _function(self) -> Function:
        """The script as the body of a function in SQL, what is too long to be read left out."""
        from trigger_audit.catalog.model import Function

        text = self.script.text
        for each in self.script.statements:
            if len(each.text) > _LONG:
                end = each.start + len(each.text)
                text = text[: each.start] + _NO_LINE_END.sub(" ", each.text) + text[end:]
        return Function(
            0, "", f"script {self.script.name}", "", "f", "sql", text, False, (), 0, 0, False, False, "", False, (),
            "v", False,
        )  # fmt: skip

    def _further(self, tables: dict[int, Table]) -> dict[int, Table]:
        """Where PostgreSQL takes a write on: from a view and by rules to other tables, down to partitions and heirs."""
        found: dict[int, Table] = {}
        waiting = list(tables)
        while waiting:
            oid = waiting.pop()
            ruled = [
                to for stored in self.behind.by_owner.get(oid, ()) if stored.kind == "rule" for to in stored.relations
            ]
            for other in (*ruled, *self.behind.children.get(oid, ())):
                table = self.catalog.tables.get(other)
                if table is not None and other not in found and other not in tables:
                    found[other] = table
                    waiting.append(other)
        return found
