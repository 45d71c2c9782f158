"""What a trigger sees in NEW and OLD at each step, folded from the very steps that smoke executes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from trigger_audit.auth.flows import FLOWS, flow_named
from trigger_audit.auth.model import ColumnState, Firing, Nullability, Origin, RowState
from trigger_audit.auth.roles import SCHEMA
from trigger_audit.auth.signup import OAUTH_PROVIDER
from trigger_audit.auth.steps import Flow, Kind, Step
from trigger_audit.auth.tables import CONFIRMED_FROM, USERS_UNLISTED, origin_of
from trigger_audit.auth.values import Base, Clock, Constant, Document, Fresh, Given, Kept, Obscured, Probe, Value

_PROBE_ORIGINS = {
    Probe.EMAIL: Origin.EMAIL,
    Probe.READ_EMAIL: Origin.EMAIL,
    Probe.NEW_EMAIL: Origin.EMAIL,
    Probe.PHONE: Origin.PHONE,
    Probe.METADATA: Origin.USER_METADATA,
    Probe.PROVIDER_SUBJECT: Origin.USER_METADATA,
    Probe.USER_ID: Origin.ID,
}
# What a user changes is something new; whatever else Auth writes may be what is there already.
_NEW = {Probe.NEW_EMAIL, Probe.NEW_PASSWORD_HASH}
_SOMETIMES_MISSING = {Probe.USER_AGENT, Probe.IP}

_Tables = dict[str, RowState]


def literal(value: str | int | bool | None) -> str:
    """The SQL text of a constant."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return "'" + value.replace("'", "''") + "'"


def _written(column: str, value: Value, before: ColumnState | None, identity: RowState | None = None) -> ColumnState:
    """`before` is the column's own state, `identity` that of the user's row in identities."""
    match value:
        case Constant(None):
            return ColumnState(Nullability.ALWAYS, origin_of(column))
        case Constant(constant) if constant == OAUTH_PROVIDER:
            # One of many: nothing may be concluded from the one that the flows are run with.
            return ColumnState(Nullability.NEVER, Origin.GENERATED, filled=True)
        case Constant(constant):
            return ColumnState(Nullability.NEVER, Origin.CONSTANT, literal(constant))
        case Given(probe):
            nullability = Nullability.SOMETIMES if probe in _SOMETIMES_MISSING else Nullability.NEVER
            return ColumnState(
                nullability, _PROBE_ORIGINS.get(probe, Origin.GENERATED), filled=probe not in _SOMETIMES_MISSING
            )
        case Fresh(probe):
            origin = Origin.ID if probe is Probe.USER_ID else Origin.GENERATED
            return ColumnState(Nullability.NEVER, origin, filled=True)
        case Clock():
            return ColumnState(Nullability.NEVER, Origin.CLOCK)
        case Obscured():
            return ColumnState(Nullability.NEVER, Origin.GENERATED, filled=True)
        case Document(base, keys):
            empty = base is Base.NOTHING and not keys
            start = before if base is Base.MEMORY else (identity or {}).get("identity_data")
            if start is None or base not in (Base.MEMORY, Base.IDENTITY):
                start = ColumnState(Nullability.NEVER, Origin.CONSTANT)
            written = {key: _member(member, identity) for key, member in keys}
            members = {(key, text) for key, text in start.members if key not in written}
            members |= {(key, text) for key, text in written.items() if text is not None}
            present = start.keys | frozenset(written)
            whole = "'{}'" if empty else None
            return ColumnState(Nullability.NEVER, origin_of(column), whole, present, frozenset(members))
        case Kept():
            return before or ColumnState(Nullability.SOMETIMES, origin_of(column))


def _member(value: object, identity: RowState | None) -> str | None:
    """The text of a JSON object's member where it is the same in every run."""
    if value == Given(Probe.PROVIDER):
        provider = (identity or {}).get("provider")
        return None if provider is None or provider.value is None else provider.value.strip("'")
    if isinstance(value, bool):
        return literal(value)
    return value if isinstance(value, str) and value != OAUTH_PROVIDER else None


def _joined(one: ColumnState | None, other: ColumnState | None) -> ColumnState | None:
    """The least state that holds both; None, which is not known, swallows the other."""
    if one is None or other is None:
        return None
    if one == other:
        return one
    nullability = one.nullability if one.nullability == other.nullability else Nullability.SOMETIMES
    keys, members = one.keys & other.keys, one.members & other.members
    if one.nullability is Nullability.ALWAYS or other.nullability is Nullability.ALWAYS:
        origin = other.origin if one.nullability is Nullability.ALWAYS else one.origin
        filled = one.filled or other.filled
        return ColumnState(nullability, origin, keys=keys, members=members, filled=filled)
    origin = one.origin if one.origin is not Origin.CONSTANT else other.origin
    value = one.value if one.value == other.value else None
    return ColumnState(nullability, origin, value, keys, members, one.filled and other.filled)


def _join_rows(rows: Iterable[RowState]) -> RowState:
    first, *rest = rows
    joined = dict(first)
    for row in rest:
        states = {column: _joined(joined.get(column), row.get(column)) for column in joined}
        joined = {column: state for column, state in states.items() if state is not None}
    return joined


def _with_unlisted(row: Mapping[str, ColumnState]) -> dict[str, ColumnState]:
    """A users row completed by the columns that Auth never writes.

    confirmed_at is generated, as it stands in the table: a BEFORE trigger finds NULL, for it is computed afterwards.
    """
    generated, old = USERS_UNLISTED
    sources = {row[column].nullability for column in CONFIRMED_FROM}
    nullability = Nullability.SOMETIMES
    if Nullability.NEVER in sources:
        nullability = Nullability.NEVER
    elif sources == {Nullability.ALWAYS}:
        nullability = Nullability.ALWAYS
    return {
        **row,
        generated: ColumnState(nullability, Origin.CLOCK),
        old: ColumnState(Nullability.ALWAYS, Origin.CONSTANT),
    }


def _inserted(step: Step) -> RowState:
    row = {write.column: _written(write.column, write.value, None) for write in step.writes}
    if step.table == "users":
        return _with_unlisted(row)
    if step.table == "identities":
        row["email"] = ColumnState(Nullability.SOMETIMES, Origin.EMAIL)
    if step.returning is not None:
        row[step.returning] = ColumnState(Nullability.NEVER, Origin.GENERATED)
    return row


def _updated(step: Step, old: RowState, identity: RowState | None) -> RowState:
    row = {**old, **{w.column: _written(w.column, w.value, old.get(w.column), identity) for w in step.writes}}
    return _with_unlisted(row) if step.table == "users" else row


def _changed(step: Step) -> frozenset[str]:
    """Columns whose value after the step cannot be the one before it."""
    return frozenset(
        write.column
        for write in step.writes
        if isinstance(write.value, Fresh | Clock) or (isinstance(write.value, Given) and write.value.probe in _NEW)
    )


def _kept(step: Step) -> frozenset[str]:
    """Columns whose value after the step is the one before it, though it is computed or written anew."""
    written = frozenset(step.columns)
    unconcerned = {USERS_UNLISTED[0]} if step.table == "users" and written.isdisjoint(CONFIRMED_FROM) else set()
    return frozenset(unconcerned | {write.column for write in step.writes if isinstance(write.value, Kept)})


def _fold(flow: Flow, start: _Tables) -> tuple[tuple[Firing, ...], _Tables]:
    tables = dict(start)
    firings: list[Firing] = []
    for index, step in enumerate(flow.steps, start=1):
        old: RowState | None = None
        new: RowState | None = None
        match step.kind:
            case Kind.INSERT:
                new = _inserted(step)
                tables[step.table] = _join_rows([tables[step.table], new]) if step.table in tables else new
            case Kind.UPDATE:
                old = tables.get(step.table, {})
                new = _updated(step, old, tables.get("identities"))
                tables[step.table] = new
            case Kind.DELETE:
                old = tables.get(step.table, {})
            case Kind.RELOAD | Kind.PROVIDERS:
                continue
        firings.append(
            Firing(
                flow=flow.name,
                latent=flow.latent,
                step=index,
                table=f"{SCHEMA}.{step.table}",
                event=step.kind.value,
                columns=frozenset(step.columns) if step.kind is Kind.UPDATE else frozenset(),
                old=None if old is None else MappingProxyType(dict(old)),
                new=None if new is None else MappingProxyType(dict(new)),
                message=step.failure.message,
                after_mail=any(before.mail_before for before in flow.steps[:index]),
                changed=_changed(step) if step.kind is Kind.UPDATE else frozenset(),
                kept=_kept(step) if step.kind is Kind.UPDATE else frozenset(),
            )
        )
    return tuple(firings), tables


@cache
def _folded(name: str) -> tuple[tuple[Firing, ...], _Tables]:
    """A flow's firings and the tables after it. Its start is what all the flows that it may follow leave behind."""
    flow = flow_named(name)
    ends = [_folded(start)[1] for start in dict.fromkeys(flow.starts)]
    start: _Tables = {}
    for table in dict.fromkeys(table for end in ends for table in end):
        start[table] = _join_rows([end[table] for end in ends if table in end])
    return _fold(flow, start)


@cache
def firings(enabled: frozenset[str] = frozenset()) -> tuple[Firing, ...]:
    """Every statement of every flow on one of Auth's tables, in the order of the flows and their steps.

    The flows `enabled` by the project are not latent in it.

    `step` counts from 1 over all steps of the flow, those that only read included, as smoke's failed_step.index does.
    The state of a users row is complete; of another table's row it holds the columns that Auth writes, and a DELETE
    that finds no row of the flow's own has an empty one. A column that is not in a state is not known.
    """
    if not enabled:
        return tuple(firing for flow in FLOWS for firing in _folded(flow.name)[0])
    return tuple(
        replace(firing, latent=False) if firing.latent and firing.flow in enabled else firing for firing in firings()
    )


def initial_state(flow: str, step: int) -> RowState:
    """What NEW holds (OLD for a DELETE) when the step's statement fires a trigger.

    KeyError where there is no such flow, or no such step, or the step only reads.
    """
    for firing in _folded(flow)[0]:
        if firing.step == step:
            state = firing.new if firing.new is not None else firing.old
            assert state is not None
            return state
    raise KeyError((flow, step))
