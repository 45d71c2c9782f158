"""What the cascade does that ROLLBACK does not undo.

pg_net's functions (net.http_*) are none: they queue a row. NOTIFY is none: it goes out at commit only. Statistics,
dead rows, numbers of sequences and the server's log are what every run leaves.

Calls in bodies are found by name. What PostgreSQL evaluates by itself (defaults, constraints, policies, views ...) says
exactly which functions it calls; `reach` tells which of it is met.

EXECUTE of a text that is not one constant is a hazard where what is known of the text (its literals, and all that the
body assigns to the variables in it) holds one of the calls, COPY, or the lock of a table that is there. Where nothing
of that kind is known (`EXECUTE new.command`, a text out of a table or an argument) the statement is taken for
harmless: nearly every dynamic statement in a trigger writes a table, and refusing them all would refuse to run what is
harmless. What such a text really does is not seen before it runs. The same holds for functions in languages other
than PL/pgSQL and SQL: their source is searched as a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigger_audit.analysis import commands, runtime
from trigger_audit.analysis.calls import sql_of
from trigger_audit.analysis.dynamic import command_of, constant_command
from trigger_audit.analysis.effects import FILE, FOREIGN, QUERY_RUNNERS, SEQUENCE, built_in_effect, effect_of, written
from trigger_audit.analysis.model import Hazard
from trigger_audit.analysis.reach import reached

if TYPE_CHECKING:
    from trigger_audit.analysis.model import BodyFacts, Cascade, FunctionCall, Site, SqlFacts
    from trigger_audit.analysis.reach import Reached
    from trigger_audit.analysis.ways import Ways
    from trigger_audit.auth.model import Firing
    from trigger_audit.catalog.model import Catalog, Function
    from trigger_audit.catalog.stored import Behind, Stored

# What pg_proc.prosrc adds to the names of built-in functions (pg_advisory_lock_int8, be_lo_export, setval3_oid).
_SYMBOL = re.compile(r"\A(?:be_)?(.+?)3?(?:_(?:int[48]|oid|v2|all|missing|off_len|text|bytea)\w*)?\Z")


@dataclass(frozen=True, slots=True)
class Effects:
    """What a cascade and Auth's own statements do that stays.

    `hazards`: each once, by function and line; line None and an object's name where no body is at fault.
    `sequences` are to be announced, nothing to refuse: the names of those that may advance, and function and line of
    calls whose argument is not known. `ways` tell which trigger leads to what.
    """

    hazards: tuple[Hazard, ...]
    sequences: tuple[str, ...]
    ways: Ways


def effects(
    cascade: Cascade,
    catalog: Catalog,
    behind: Behind,
    bodies: Callable[[Function], BodyFacts],
    firings: Iterable[Firing],
) -> Effects:
    """`firings` are the statements that start it all; `behind` belongs to the catalog."""
    found = reached(cascade, catalog, behind, bodies, firings)
    collector = _Collector(catalog, behind, found)
    collector.look(cascade, bodies)
    hazards = sorted(collector.hazards, key=lambda each: (each.function, each.line or 0, each.call, each.effect))
    return Effects(tuple(hazards), tuple(sorted(collector.numbers | set(collector.filling()))), found.ways)


class _Collector:
    def __init__(self, catalog: Catalog, behind: Behind, found: Reached) -> None:
        self._catalog = catalog
        self._behind = behind
        self._reached = found
        self.hazards: dict[Hazard, None] = {}
        self.numbers: set[str] = set()

    def filling(self) -> Iterator[str]:
        """The sequences behind columns that are left to their default."""
        for column in self._reached.filled:
            for oid in self._behind.sequences.get(column, ()):
                sequence = self._behind.relations.get(oid)
                if sequence is not None:
                    yield f"{sequence.schema}.{sequence.name}"

    def look(self, cascade: Cascade, bodies: Callable[[Function], BodyFacts]) -> None:
        seen: set[tuple[int, int, tuple[str, ...]]] = set()
        sites = (*cascade.sites, *self._reached.sites)
        runners = QUERY_RUNNERS | {
            site.facts.function.proname
            for site in sites
            if site.visit.trigger is None and command_of(site.statement.statement) is not None
        }
        for site in sites:
            key = site.facts.function.oid, id(site.statement), site.visit.search_path
            if key not in seen:
                seen.add(key)
                for hazard, call in _of_site(site, self._catalog, self._behind, runners):
                    self._note(hazard, call, site)
        for stored in self._reached.stored:
            label = _label(stored, self._catalog)
            for oid in stored.functions:
                self._native(label, oid, has_sequence=stored.kind == "default")
        for label, oid in self._reached.natives:
            self._native(label, oid, has_sequence=False)
        for event, table, label in self._reached.foreign:
            effect = FILE if event == "SELECT" else FOREIGN
            self.hazards[Hazard(label, None, f"{event} {table.name}", effect)] = None
        functions = {visit.function.oid: visit.function for visit in cascade.visits}
        functions.update((site.facts.function.oid, site.facts.function) for site in self._reached.sites)
        functions.update((function.oid, function) for function in self._reached.functions)
        for function in functions.values():
            if bodies(function).body is None:
                for what, effect in _of_source(function, self._behind):
                    self._note(Hazard(function.name, None, what, effect), None, None)

    def _native(self, label: str, oid: int, *, has_sequence: bool) -> None:
        """A function that is known by name alone. A column's sequence is announced by its own name."""
        if oid in self._behind.names:
            schema, name = self._behind.names[oid]
            effect = effect_of(schema, name)
            if effect == SEQUENCE and has_sequence:
                return
            if effect is not None:
                shown = written(None if schema == "pg_catalog" else schema, name)
                self._note(Hazard(label, None, shown, effect), None, None)

    def _note(self, hazard: Hazard, call: FunctionCall | None, site: Site | None) -> None:
        if hazard.effect != SEQUENCE:
            self.hazards[hazard] = None
            return
        name = _sequence(call, site, self._behind) if call is not None and site is not None else None
        self.numbers.add(name or f"a sequence in {hazard.function}" + (f" line {hazard.line}" if hazard.line else ""))


_Found = Iterator[tuple[Hazard, "FunctionCall | None"]]


def _of_site(site: Site, catalog: Catalog, behind: Behind, runners: frozenset[str]) -> _Found:
    """`runners` are functions that run a text which they are given."""
    for sql in sql_of(site, catalog):
        for call in sql.calls:
            effect = effect_of(call.schema, call.name)
            if effect is not None and not _is_of_user(call, site, catalog):
                yield _hazard(site, call.span.start, written(call.schema, call.name), effect), call
            if call.name in runners:
                yield from _of_text(site, sql, runtime.text_of(sql, site), behind)
        for write in sql.writes:
            table = catalog.table(write.target.schema, write.target.name, site.visit.search_path)
            if table is not None and table.kind == "f":
                yield _hazard(site, write.span.start, f"{write.kind} {table.name}", FOREIGN), None
        if sql.refused is not None and not (sql.calls or sql.writes or sql.reads):
            # PostgreSQL's grammar refuses it: nothing has been found in it.
            yield from _of_text(site, sql, sql.fragment.text, behind)
        elif not sql.is_expression and not sql.is_query:
            for what, effect in commands.of_command(sql.fragment.text, behind, site.visit.search_path):
                yield _hazard(site, _start(site, sql), what, effect), None
    command = command_of(site.statement.statement)
    if command is not None and constant_command(site, catalog) is None:
        for sql in site.statement.sql:
            if sql.fragment is command:
                yield from _of_text(site, sql, runtime.text_of(sql, site), behind)


def _of_text(site: Site, sql: SqlFacts, text: str, behind: Behind) -> _Found:
    for what, effect in commands.of_text(text, behind):
        yield _hazard(site, sql.fragment.span.start, what, effect), None


def _of_source(function: Function, behind: Behind) -> Iterator[tuple[str, str]]:
    """What a function does whose body nobody reads: one in C is known by its symbol, others by their text."""
    match function.language:
        case "internal":
            symbol = _SYMBOL.sub(r"\1", function.source)
            effect = built_in_effect(symbol)
            if effect is not None:
                yield symbol, effect
        case "c":
            effect = effect_of(None, function.source)
            if effect is not None:
                yield function.source, effect
        case _:
            yield from commands.of_text(function.source, behind)


def _start(site: Site, sql: SqlFacts) -> int:
    """Where the SQL begins; the text of an EXECUTE that is put together has no place but its statement's."""
    return max(sql.fragment.span.start, site.statement.span.start)


def _is_of_user(call: FunctionCall, site: Site, catalog: Catalog) -> bool:
    """Whether a function of the user's own bears the name: then its body is in the cascade, and speaks for itself.

    pg_catalog comes first on every search path that does not name it, so that a built-in function without schema is
    itself, unless the types decide otherwise.
    """
    if call.schema is None and built_in_effect(call.name) is not None:
        return False
    schemas = (call.schema,) if call.schema is not None else site.visit.search_path
    return any(
        function.language in ("plpgsql", "sql") and function.takes(call.arguments)
        for schema in schemas
        for function in catalog.functions_by_name.get((schema, call.name), ())
    )


def _sequence(call: FunctionCall, site: Site, behind: Behind) -> str | None:
    """The sequence that `nextval('...')` names, or None where it is not written so."""
    if site.facts.body is None:
        return None
    text = site.facts.function.source[call.span.end :]
    found = re.match(r"\s*\(\s*'((?:[^']|'')+)'", text)
    if found is None:
        return None
    parts = [quoted or plain.lower() for quoted, plain in re.findall(r'"([^"]+)"|([^".]+)', found[1])]
    for schema in parts[:-1][-1:] or site.visit.search_path:
        if (schema, parts[-1]) in behind.relations_by_name:
            return f"{schema}.{parts[-1]}"
    return ".".join(parts)


def _hazard(site: Site, offset: int, call: str, effect: str) -> Hazard:
    line = None if site.facts.body is None else site.facts.body.source.place(offset)[0]
    return Hazard(site.facts.function.name, line, call, effect)


def _label(stored: Stored, catalog: Catalog) -> str:
    """The object whose expression it is, as people name it."""
    if stored.kind == "argument default":
        function = catalog.functions.get(stored.owner)
        return f"{function.name if function is not None else stored.name} argument default"
    if stored.kind.startswith("domain"):
        domain = catalog.types.get(stored.owner)
        own = stored.name if domain is None else f"{domain.schema}.{domain.name}"
        return f"domain {own} default" if stored.kind == "domain default" else f"domain {own} constraint {stored.name}"
    table = catalog.tables.get(stored.owner)
    owner = table.name if table is not None else str(stored.owner)
    match stored.kind:
        case "default":
            return f"{owner} column {stored.name} default"
        case "generated":
            return f"{owner} generated column {stored.name}"
        case "rule" if stored.definition is None:
            return f"view {owner}"
        case "trigger":
            return f"{owner}.{stored.name} WHEN"
        case "partition key":
            return f"{owner} partition key"
    return f"{owner} {stored.kind} {stored.name}"
