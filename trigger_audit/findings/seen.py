"""What the app user reads when a statement fails: Auth's text differs by flow and by step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_MOST_TEXTS = 3
_MOST_FLOWS = 4


@dataclass(frozen=True, slots=True)
class Seen:
    """The text for one step of a flow that a failing statement ends; `after_mail`: the mail has left by then."""

    flow: str
    latent: bool
    step: int
    message: str
    after_mail: bool


def seen_by_the_user(seen: Iterable[Seen]) -> str:
    """The texts and their flows in a sentence, '' where there is none.

    A flow ends at the first of its steps that fails; latent flows are told of only where there are no others.
    """
    first: dict[str, Seen] = {}
    for one in seen:
        if one.flow not in first or one.step < first[one.flow].step:
            first[one.flow] = one
    told = [one for one in first.values() if not one.latent] or list(first.values())
    if not told:
        return ""
    flows: dict[str, list[str]] = {}
    for one in told:
        flows.setdefault(one.message, []).append(one.flow)
    texts = [f'"{message}" ({_listed(named)})' for message, named in flows.items()]
    more = [flow for named in list(flows.values())[_MOST_TEXTS:] for flow in named]
    if more:
        texts = [*texts[:_MOST_TEXTS], f"something like it in {_listed(more)}"]
    text = "The app user sees " + ", ".join(texts)
    mailed = [one.flow for one in told if one.after_mail]
    if mailed:
        where = "" if len(mailed) == len(told) else f"in {_listed(mailed)} "
        text += f"; {where}the mail has left by then, and its link is dead"
    return text + "."


def _listed(flows: Sequence[str]) -> str:
    named = sorted(flows)
    more = len(named) - _MOST_FLOWS
    return ", ".join(named[:_MOST_FLOWS]) + (f" and {more} more" if more > 0 else "")
