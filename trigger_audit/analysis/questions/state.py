"""What is known at one place of a body while it is walked in the order in which it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from trigger_audit.analysis.questions.namespace import Lack, Shape, Variable, join


@dataclass(slots=True)
class State:
    """`path` is the search path in force, None where only the run tells.

    `guarded`: an existence test, or a handler for what is missing, stands before this place. `tested` are variables
    that hold the outcome of such a test.
    """

    path: tuple[str, ...] | None
    shapes: dict[Variable, Shape] = field(default_factory=dict)
    tested: set[Variable] = field(default_factory=set)
    guarded: bool = False

    def copy(self) -> State:
        return State(self.path, dict(self.shapes), set(self.tested), self.guarded)

    def meet(self, ends: Sequence[State]) -> None:
        """Go on where branches meet: those that come out at all."""
        if not ends:
            return
        keys = {variable for end in ends for variable in end.shapes}
        self.shapes = {key: join(end.shapes.get(key, Lack.UNKNOWN) for end in ends) for key in keys}
        self.tested = set().union(*(end.tested for end in ends))
        paths = {end.path for end in ends}
        self.path = paths.pop() if len(paths) == 1 else None
