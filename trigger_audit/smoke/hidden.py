"""Replays flows that went through with their functions' exception handlers open, to see which errors those hide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from trigger_audit.smoke.attempts import ChangeRefused
from trigger_audit.smoke.context import frames
from trigger_audit.smoke.faults import told_limit
from trigger_audit.smoke.model import HiddenError
from trigger_audit.smoke.scrub import scrubbed_step
from trigger_audit.smoke.unmask import Definition, Mask, definitions

if TYPE_CHECKING:
    from trigger_audit.smoke.identities import Originals
    from trigger_audit.smoke.model import FailedStep
    from trigger_audit.smoke.replay import Observation
    from trigger_audit.smoke.session import Session
    from trigger_audit.smoke.suspects import Suspects
    from trigger_audit.smoke.trials import Replay

_MOST_HIDDEN = 16


@dataclass(slots=True)
class Handlers:
    """The handlers of one run. `errors` are what they hid, `notes` say what could not be looked at."""

    suspects: Suspects
    masks: tuple[Mask, ...]
    originals: Originals
    errors: dict[tuple[object, ...], HiddenError] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    definitions: dict[int, Definition] = field(default_factory=dict)

    def prepare(self, session: Session) -> None:
        """Asks the server which functions may be replaced; before any code of the target has run."""
        self.definitions = definitions(session, {mask.function.oid for mask in self.masks})
        self.originals.add(session, self.definitions)

    def look_behind(self, observed: Observation, replay: Replay) -> None:
        flow = observed.flow.name
        opened = [
            mask
            for mask in self.masks
            if mask.function.oid in self.definitions and self.suspects.may_run(mask.function.oid, flow)
        ]
        for _ in range(_MOST_HIDDEN):
            if not opened:
                return
            by_function: dict[int, list[Mask]] = {}
            for mask in opened:
                by_function.setdefault(mask.function.oid, []).append(mask)
            opening = {
                oid: (self.definitions[oid].owner, self.definitions[oid].without(few))
                for oid, few in by_function.items()
            }
            try:
                again = replay(partial(self._replace, opening))
            except ChangeRefused as refused:
                self.notes[
                    f"what exception handlers hide is not known, for opening them was refused: {refused.told}"
                ] = None
                return
            failed = again.failed
            if again.limit is not None:
                what = f"what exception handlers hide in {observed.flow.name} is not known: {told_limit(again)}"
                self.notes[what] = None
                return
            if failed is None or failed.sqlstate is None:
                return
            passed = (
                [mask for mask in opened if mask.hides(frame, failed.sqlstate)] for frame in frames(failed.context)
            )
            fitting = next((few for few in passed if few), None)
            if fitting is None:
                return  # opening the handlers broke something else, which is nobody's error
            # The innermost block's, and of that the first that takes it, as PostgreSQL does.
            hiding = max(fitting, key=lambda mask: (mask.first_line, -mask.line))
            opened.remove(hiding)
            self._note(observed, failed, hiding)

    def _replace(self, statements: Mapping[int, tuple[str | None, str]], session: Session) -> None:
        """Puts the functions (oid: owner to act as, statement) in the places of those that bear their names."""
        self.originals.require_unaltered(session, statements)
        # The bodies are the target's own but for a RAISE: what they name need not be found under the present path.
        session.connection.execute("SET LOCAL check_function_bodies = off")
        for owner, statement in statements.values():
            with session.owners.acting_as(owner) as sender:
                sender.run(statement)

    def _note(self, observed: Observation, failed: FailedStep, mask: Mask) -> None:
        trigger = self.suspects.innermost(observed.flow.name, failed.statement, failed.context)
        name = "" if trigger is None else self.suspects.catalog.trigger_name(trigger)
        function, line = self._place(failed) or (mask.function.name, mask.line)
        assert failed.sqlstate is not None
        message = scrubbed_step(failed).message
        error = HiddenError(
            name, function, line, failed.sqlstate, message, observed.flow.name, mask.function.name, mask.line
        )
        self.errors.setdefault((name, function, line, failed.sqlstate), error)

    def _place(self, failed: FailedStep) -> tuple[str, int | None] | None:
        """The innermost function of the failure by its full name, where the catalog leaves no doubt which it is."""
        frame = next(iter(frames(failed.context)), None)
        if frame is None:
            return None
        named = [
            function
            for function in self.suspects.catalog.functions.values()
            if frame.may_be(function.schema, function.proname)
        ]
        return (named[0].name if len(named) == 1 else frame.text), frame.line
