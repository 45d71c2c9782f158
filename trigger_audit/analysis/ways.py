"""Which trigger leads to what: to other triggers, to tables, to code whose effects are not known before it runs."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trigger_audit.analysis.model import SqlFacts

_SETTING = frozenset({"set_config", "setval"})


@dataclass(frozen=True, slots=True)
class At:
    """A trigger, by oid."""

    trigger: int


@dataclass(frozen=True, slots=True)
class Touch:
    """An event on a table (oid); `event` may be SELECT."""

    table: int
    event: str


START: Hashable = "start"
UNKNOWN: Hashable = "unknown"
"""Commands, and texts that are put together at run time."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """What a trigger sets off, itself aside unless it comes round again. `unknown`: and more than can be told."""

    triggers: frozenset[int]
    touches: frozenset[Touch]
    unknown: bool


class Ways:
    """A graph whose nodes are triggers, touches, and whatever stands between them. It begins at START.

    `first` and `beyond` are worked out once: they are asked of a graph that is finished.
    """

    def __init__(self) -> None:
        self._next: dict[Hashable, dict[Hashable, None]] = {}
        self._at = START
        self.beyond = cache(self._beyond)

    def lead_to(self, node: Hashable) -> None:
        """From what is followed at the moment."""
        self.connect(self._at, node)

    def connect(self, node: Hashable, to: Hashable) -> None:
        self._next.setdefault(node, {})[to] = None

    @contextmanager
    def following(self, node: Hashable) -> Iterator[None]:
        before, self._at = self._at, node
        yield
        self._at = before

    @property
    def triggers(self) -> tuple[int, ...]:
        """All that can be set off, in no order that means anything, but always the same."""
        return tuple(node.trigger for node in self._from(START) if isinstance(node, At))

    @cached_property
    def first(self) -> frozenset[int]:
        """The triggers that the statements at the start set off themselves."""
        return frozenset(node.trigger for node in self._from(START, past_triggers=False) if isinstance(node, At))

    def _beyond(self, trigger: int) -> Beyond:
        found = self._from(At(trigger))
        return Beyond(
            frozenset(node.trigger for node in found if isinstance(node, At)),
            frozenset(node for node in found if isinstance(node, Touch)),
            UNKNOWN in found,
        )

    def _from(self, start: Hashable, *, past_triggers: bool = True) -> dict[Hashable, None]:
        found: dict[Hashable, None] = {}
        waiting = [*self._next.get(start, ())]
        while waiting:
            node = waiting.pop()
            if node in found:
                continue
            found[node] = None
            if past_triggers or not isinstance(node, At):
                waiting += self._next.get(node, ())
        return found


def does_more(sql: SqlFacts) -> bool:
    """Whether it does what no list of tables tells: a command (DDL, SET, LOCK), a setting, what cannot be read."""
    if sql.refused is not None or any(call.name in _SETTING for call in sql.calls):
        return True
    return not (sql.is_expression or sql.is_query or sql.writes or sql.reads)
