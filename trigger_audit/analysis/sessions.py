"""Who runs a function, and where it looks names up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigger_audit.auth.roles import ROLE, SCHEMA, SEARCH_PATH
from trigger_audit.catalog.model import split_search_path

if TYPE_CHECKING:
    from trigger_audit.catalog.model import Catalog, Function, Table

_DEFAULT_PATH = '"$user", public'


@dataclass(frozen=True, slots=True)
class Session:
    """The current role, and search_path as it was set (`$user` kept: it means whichever role is current)."""

    role: str
    path: tuple[str, ...]

    def entering(self, function: Function) -> Session:
        """The session inside a function: a SECURITY DEFINER's owner, its SET search_path; else as outside."""
        path = function.search_path
        return Session(
            function.owner if function.security_definer else self.role,
            self.path if path is None else path,
        )

    def search_path(self, catalog: Catalog) -> tuple[str, ...]:
        """The schemas in force: `$user` is the current role's schema where there is one, else nothing."""
        found = (self.role if schema == "$user" else schema for schema in self.path if self._stands(schema, catalog))
        return tuple(dict.fromkeys(found))

    def _stands(self, schema: str, catalog: Catalog) -> bool:
        return schema != "$user" or self.role in catalog.schemas


def base_session(catalog: Catalog, table: Table, as_role: str | None) -> Session:
    """The session whose statement on an audited table starts the cascade.

    Auth's own role for its tables, elsewhere `as_role` or the table's owner.
    """
    role = ROLE if table.schema == SCHEMA else as_role or table.owner
    known = catalog.roles.get(role)
    path = known.settings.get("search_path") if known is not None else None
    if path is None and role == ROLE:
        path = SEARCH_PATH
    if path is None:
        path = catalog.settings.get("search_path", _DEFAULT_PATH)
    return Session(role, split_search_path(path))
