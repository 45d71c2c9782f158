"""Functions and procedures with their sources."""

from __future__ import annotations

from collections.abc import Mapping

from trigger_audit.catalog.model import Function
from trigger_audit.catalog.roles import role_name
from trigger_audit.catalog.rows import Rows, definition

INPUT_MODES = frozenset("ibv")
"""pg_proc.proargmodes of arguments that a caller passes: IN, INOUT, VARIADIC."""


def read_functions(rows: Rows, role_names: Mapping[int, str]) -> dict[int, Function]:
    """The functions by oid, in the order of schema, name and argument types."""
    functions: dict[int, Function] = {}
    shared: dict[str, str] = {}
    for (
        oid,
        schema,
        name,
        identity_arguments,
        kind,
        language,
        source,
        atomic,
        types,
        modes,
        names,
        defaults,
        returns,
        returns_set,
        returns_trigger,
        owner,
        security_definer,
        settings,
        volatility,
        strict,
    ) in rows("functions"):
        functions[oid] = Function(
            oid=oid,
            schema=shared.setdefault(schema, schema),
            proname=name,
            identity_arguments=shared.setdefault(identity_arguments, identity_arguments),
            kind=kind,
            language=shared.setdefault(language, language),
            source=definition(source) if atomic else source,
            atomic=atomic,
            arguments=_input_arguments(types, modes, names),
            defaults=defaults,
            returns=returns,
            returns_set=returns_set,
            returns_trigger=returns_trigger,
            owner=role_name(owner, role_names),
            security_definer=security_definer,
            settings=tuple(_setting(entry) for entry in settings or ()),
            volatility=volatility,
            strict=strict,
            variadic=bool(modes) and "v" in modes,
            outputs=modes.count("o") if modes else 0,
        )
    return functions


def _input_arguments(types: list[int], modes: list[str] | None, names: list[str] | None) -> tuple[tuple[str, int], ...]:
    if not types:
        return ()
    return tuple(
        (name, oid)
        for oid, mode, name in zip(types, modes or "i" * len(types), names or [""] * len(types), strict=True)
        if mode in INPUT_MODES
    )


def _setting(entry: str) -> tuple[str, str]:
    name, _, value = entry.partition("=")
    return name, value
