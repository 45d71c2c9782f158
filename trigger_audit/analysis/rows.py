"""NEW and OLD as the statements of Auth that set a site off leave them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigger_audit.analysis.terms import UNKNOWN, Term
from trigger_audit.auth.model import Nullability, Origin

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Site
    from trigger_audit.analysis.variables import Variables
    from trigger_audit.auth.model import ColumnState

METADATA = {"raw_user_meta_data": "the metadata key", "raw_app_meta_data": "the app metadata key"}


class AuthRows:
    """The rows at one site, by the number of the firing."""

    def __init__(self, site: Site, variables: Variables) -> None:
        self._site = site
        self._variables = variables
        visit = site.visit
        # NEW and OLD are rows that Auth wrote only in the trigger that the cascade starts with.
        self._from_auth = (
            bool(site.firings)
            and visit.trigger is not None
            and visit.trigger is visit.root
            and len(visit.via) <= 1
            and visit.table is not None
            and all(firing.table == visit.table.name for firing in site.firings)
        )

    def column(self, record: str, name: str) -> Term:
        """One field of NEW or OLD; unknown where the row is none that Auth wrote, or the body changed the field."""
        if not self._from_auth or self._variables.overwrites(record, name):
            return UNKNOWN
        if record == "new" and self._comes_later(name):
            everywhere = frozenset(range(len(self._site.firings)))
            return Term(everywhere, everywhere, f"NEW.{name}", sure=True)
        nulls: set[int] = set()
        always: set[int] = set()
        origins: set[Origin] = set()
        texts: set[str] | None = set()
        for index in range(len(self._site.firings)):
            firing = self._site.firings[index]
            row = firing.new if record == "new" else firing.old
            if row is None:  # the record that the event does not have is all NULL
                nulls.add(index)
                always.add(index)
                continue
            state = row.get(name)
            if state is None:
                return UNKNOWN
            origins.add(state.origin)
            if state.nullability is not Nullability.NEVER:
                nulls.add(index)
            if state.nullability is Nullability.ALWAYS:
                always.add(index)
            elif state.value is None:
                texts = None
            elif texts is not None:
                texts.add(_unquoted(state.value))
        return Term(
            frozenset(nulls),
            frozenset(always),
            f"{record.upper()}.{name}",
            frozenset(origins),
            constants=None if texts is None else frozenset(texts),
            sure=True,
            document=name if name in METADATA else "",
            record=record if name in METADATA else "",
        )

    def _comes_later(self, name: str) -> bool:
        """Whether a column is generated and stored: a BEFORE trigger finds NULL there."""
        visit = self._site.visit
        column = None if visit.table is None else visit.table.by_name.get(name)
        before = visit.trigger is not None and visit.trigger.timing == "BEFORE"
        return before and column is not None and column.generated == "s"

    def document(self, index: int, record: str, name: str) -> ColumnState | None:
        """The state of a JSON column in one firing."""
        firing = self._site.firings[index]
        row = firing.new if record == "new" else firing.old
        return None if row is None else row.get(name)


def _unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'") if text.startswith("'") else text
