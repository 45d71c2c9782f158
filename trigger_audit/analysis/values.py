"""What is known of a value written in a body: where it may be NULL and why, what it derives from, what it can be.

The reach of this: the expression itself and variables that are assigned once. Whatever is not known stays silent: a
value is said to be possibly NULL only where a reason can be named, in the flows in which that reason holds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trigger_audit.analysis.evaluation import Evaluation
from trigger_audit.analysis.terms import Term

if TYPE_CHECKING:
    from trigger_audit.analysis.model import Expression, Site
    from trigger_audit.auth.model import Origin
    from trigger_audit.catalog.model import Catalog


@dataclass(frozen=True, slots=True)
class Value:
    """What a value may be at a site.

    `null_in`: the flows in which it may be NULL, as far as a reason can be named; `null_reason` is that reason in words
    ('' without one). `always_null`: it is NULL each time the site runs. `origins` and `metadata_keys` (of
    raw_user_meta_data, nested ones dotted): what it derives from, the conditions of a CASE included. `constant`: the
    text where it is always the same and never NULL; `possible_constants`: all texts it can have where they are finite,
    NULL apart.
    A value under a condition that fails without metadata (`IF NEW.raw_user_meta_data ->> 'kind' = 'company'`) is judged
    by the runs that reach it, and a missing key is no reason there.
    """

    null_in: frozenset[str]
    null_reason: str
    always_null: bool
    origins: frozenset[Origin]
    metadata_keys: frozenset[str]
    constant: str | None
    possible_constants: frozenset[str] | None


def value_of(expression: Expression, site: Site, catalog: Catalog) -> Value:
    """What is known of an expression of the site's statement."""
    evaluation = Evaluation(site, catalog)
    try:
        term = evaluation.term(expression.node, evaluation.assumptions_at(expression))
        term = replace(term, nulls=term.nulls - evaluation.unreached())
    except RecursionError:  # nested too deeply: nothing is known
        term = Term()
    return _value(term, site, evaluation)


def _value(term: Term, site: Site, evaluation: Evaluation) -> Value:
    constant = None
    if term.constants is not None and len(term.constants) == 1 and term.sure and not term.nulls:
        (constant,) = term.constants
    return Value(
        frozenset(site.firings[index].flow for index in term.nulls if index >= 0),
        term.reason if term.nulls else "",
        term.always >= evaluation.universe,
        term.origins,
        term.keys,
        constant,
        term.constants,
    )
