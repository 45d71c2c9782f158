"""Roles: whose rights each may use, and the settings that its sessions start with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trigger_audit.catalog.model import Role
from trigger_audit.catalog.rows import Rows


def settings_of(*levels: Iterable[str] | None) -> dict[str, str]:
    """Settings from `name=value` entries; a later level wins over an earlier one, None is a level without entries."""
    settings: dict[str, str] = {}
    for level in levels:
        for entry in level or ():
            name, _, value = entry.partition("=")
            settings[name] = value
    return settings


def read_roles(rows: Rows, common: Mapping[str, str]) -> tuple[dict[str, Role], dict[int, str]]:
    """The roles by name, and their names by oid. `common` are the settings that every role starts with."""
    found = list(rows("roles"))
    names: dict[int, str] = {row[0]: row[1] for row in found}
    inherits: dict[int, list[int]] = {row[0]: row[5] for row in found}
    roles: dict[str, Role] = {}
    for oid, name, superuser, bypass_rls, inherit, _, in_database, own in found:
        roles[name] = Role(
            name=name,
            superuser=superuser,
            bypass_rls=bypass_rls,
            inherit=inherit,
            member_of=frozenset(names[member] for member in _reachable(oid, inherits)),
            settings={**common, **settings_of(own, in_database)},
        )
    return roles, names


def role_name(oid: int, names: Mapping[int, str]) -> str:
    """The role's name, or what pg_get_userbyid says of a role that is gone."""
    return names.get(oid) or f"unknown (OID={oid})"


def _reachable(start: int, inherits: Mapping[int, list[int]]) -> set[int]:
    """All roles reached over inheriting memberships, as roles_is_member_of in PostgreSQL's acl.c follows them."""
    reached = {start}
    waiting = [start]
    while waiting:
        for role in inherits.get(waiting.pop(), ()):
            if role not in reached:
                reached.add(role)
                waiting.append(role)
    return reached
