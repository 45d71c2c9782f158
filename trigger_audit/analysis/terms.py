"""What is known of one expression at a site, and how that of its parts adds up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trigger_audit.auth.model import Origin

NOBODY: frozenset[int] = frozenset()
LOOKUP = "a look-up that may find no row"


@dataclass(frozen=True, slots=True)
class Term:
    """`nulls`: firings in which it may be NULL, `always`: in which it is. `constants`: all its texts, None: unbounded.

    `sure`: in all other firings it is not NULL; without it nothing is known of them.
    `document` names the metadata column whose JSON this is, `record` NEW or OLD that it comes from; `record` alone is
    the whole row.
    """

    nulls: frozenset[int] = NOBODY
    always: frozenset[int] = NOBODY
    reason: str = ""
    origins: frozenset[Origin] = frozenset()
    keys: frozenset[str] = frozenset()
    constants: frozenset[str] | None = None
    sure: bool = False
    document: str = ""
    record: str = ""

    @property
    def never_null(self) -> bool:
        return self.sure and not self.nulls


UNKNOWN = Term()


def joined(terms: list[Term]) -> Term:
    """NULL where one of them is; made of all of them."""
    nulls: frozenset[int] = NOBODY
    always: frozenset[int] = NOBODY
    origins: frozenset[Origin] = frozenset()
    keys: frozenset[str] = frozenset()
    for term in terms:
        nulls |= term.nulls
        always |= term.always
        origins |= term.origins
        keys |= term.keys
    reason = next((term.reason for term in terms if term.nulls), "")
    return Term(nulls, always, reason, origins, keys, sure=all(term.sure for term in terms))


def first_of(terms: list[Term], universe: frozenset[int]) -> Term:
    """coalesce, and greatest and least, which pass over NULL: NULL where all are. `universe` are all firings."""
    nulls, always = universe, universe
    for term in terms:
        nulls &= term.nulls
        always &= term.always
    together = joined(terms)
    constants: frozenset[str] | None = frozenset()
    for term in terms:
        constants = None if constants is None or term.constants is None else constants | term.constants
    reason = next((term.reason for term in reversed(terms) if term.reason not in ("", "NULL")), "NULL")
    document = terms[0].document if all(term.constants is not None for term in terms[1:]) else ""
    return replace(
        together,
        nulls=nulls,
        always=always,
        reason=reason,
        constants=constants,
        sure=together.sure or any(term.never_null for term in terms),
        document=document,
        record=terms[0].record if document else "",
    )
