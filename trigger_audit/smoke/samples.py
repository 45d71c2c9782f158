"""Values for the keys of raw_user_meta_data that functions read: what an app would send, and what it would not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from trigger_audit.analysis.granting import GRANTING, PRIVILEGED, privilege_rank
from trigger_audit.analysis.wanted import Kind
from trigger_audit.smoke.accepts import accepts, condition_of, text_of

if TYPE_CHECKING:
    from trigger_audit.analysis.metadata import MetadataKey, Reference

Rows = Mapping["Reference", Sequence[str]]
"""Keys of rows that are there, as text, for what foreign keys want: the first for `full`, the second for `admin`."""

_UUIDS = ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000000")
_OF_KIND: dict[Kind, tuple[object, object]] = {
    Kind.INTEGER: (1, 999),
    Kind.NUMBER: (1, 999),
    Kind.BOOLEAN: (True, True),
    Kind.UUID: _UUIDS,
    Kind.DATE: ("2000-01-01", "2000-01-01"),
    Kind.TIMESTAMP: ("2000-01-01T00:00:00Z", "2000-01-01T00:00:00Z"),
    Kind.TIME: ("12:00", "12:00"),
    Kind.INTERVAL: ("1 day", "1 day"),
    Kind.INET: ("127.0.0.1", "127.0.0.1"),
    Kind.JSON: ({}, {}),
    Kind.OBJECT: ({}, {}),
    Kind.LIST: (["example"], ["example"]),
    Kind.ARRAY: ("{}", "{}"),
}
# What a CHECK by a regular expression may want: codes, slugs, colours, numbers.
_TEXTS = (
    "example", "Example", "EXAMPLE", "example_1", "example-1", "US", "us", "EUR", "en", "en-US", "someone@example.com",
    "https://example.com", "example.com", "+15550100", "15550100", "5550100", "12345", "1", "0", "A1", "#000000",
    "2000-01-01", "UTC", "true", "Example 1",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """A key's values: for `full`, and where the key grants something for `admin`. None leaves the key out.

    `note` says why where `full` leaves it out though a value could be made up.
    """

    path: tuple[str, ...]
    usual: object
    privileged: object
    note: str | None = None


def grants(key: MetadataKey) -> bool:
    """Whether the key or a column that it is written to goes by a name that grants something."""
    return any(GRANTING.match(name.lower()) for name in (key.path[-1], *(column for _, column in key.columns)))


def sample(key: MetadataKey, usual: object, rows: Rows) -> Sample:
    """Values that everything takes which is known to read the key. `usual` is what `full` sends anyway, or None."""
    name = ".".join(key.path)
    granting = grants(key)
    if key.references:
        return _of_row(key, name, rows, granting=granting)
    if key.looked_up and not key.columns:
        tables = ", ".join(key.looked_up)
        return Sample(key.path, None, None, f"the metadata key {name} must name a row of {tables}: it is not sent")
    known = [*key.choices, *(label for wanted in key.wanted for label in wanted.labels), *_listed(key)]
    fitting = [value for value in _candidates(key, known, usual) if _fits(key, value)]
    if not fitting:
        why = "no value is known that it would take: it is not sent"
        return Sample(key.path, None, None, f"the metadata key {name}: {why}")
    if not granting and usual is None and any(value is True for value in fitting):
        return Sample(key.path, True, None)  # terms_accepted, newsletter: what an app has its users tick
    if not granting:
        chosen = [value for value in fitting if text_of(value) in key.choices] if usual not in fitting else [usual]
        return Sample(key.path, (chosen or fitting)[0], None)
    return Sample(key.path, _harmless(fitting, known), _most_privileged(key, fitting))


def _of_row(key: MetadataKey, name: str, rows: Rows, *, granting: bool) -> Sample:
    reference = key.references[0]
    there = [_typed(text, key) for text in rows.get(reference, ())]
    there = [value for value in there if _fits(key, value)]
    if not there:
        table = f"{reference.schema}.{reference.table}"
        return Sample(key.path, None, None, f"the metadata key {name} must name a row of {table}, which has none: "
                      "it is not sent")  # fmt: skip
    return Sample(key.path, there[0], there[1] if granting and len(there) > 1 else None)


def _typed(text: str, key: MetadataKey) -> object:
    numeric = any(wanted.kind in (Kind.INTEGER, Kind.NUMBER) for wanted in key.wanted)
    return int(text) if numeric and text.isascii() and text.isdigit() else text


def _harmless(fitting: list[object], known: list[str]) -> object:
    """What an honest client sends for a role: none that looks privileged, one that code or schema know if there is."""
    if any(value is False for value in fitting):
        return False
    honest = [value for value in fitting if not PRIVILEGED.search(text_of(value))]
    named = [value for value in honest if text_of(value) in known]
    if named or not honest:
        return named[0] if named else None
    # Where code knows privileged values alone, anything else may be refused.
    return None if any(text_of(value) in known for value in fitting) else honest[0]


def _most_privileged(key: MetadataKey, fitting: list[object]) -> object:
    kinds = {wanted.kind for wanted in key.wanted}
    for kind in (Kind.UUID, Kind.INTEGER, Kind.NUMBER):
        if kind in kinds and _fits(key, _OF_KIND[kind][1]):
            return _OF_KIND[kind][1]
    ranked = sorted((privilege_rank(text_of(value)), at) for at, value in enumerate(fitting))
    rank, at = ranked[0]
    return fitting[at] if rank < 100 else None


def _fits(key: MetadataKey, value: object) -> bool:
    return all(accepts(wanted, value) for wanted in key.wanted)


def _candidates(key: MetadataKey, known: list[str], usual: object) -> Iterator[object]:
    """Values to try, the likeliest first."""
    if usual is not None:
        yield usual
    kinds = dict.fromkeys(wanted.kind for wanted in key.wanted)
    granting = grants(key)
    # As JSON a number or true is what an app sends; as text it would do as well.
    for text in known:
        if Kind.BOOLEAN in kinds and text in ("true", "false"):
            yield text == "true"
        elif (Kind.INTEGER in kinds or Kind.NUMBER in kinds) and text.lstrip("-").isdigit() and text.isascii():
            yield int(text)
        else:
            yield text
    for kind in kinds:
        if kind in _OF_KIND:
            yield _OF_KIND[kind][0]
            if kind is Kind.BOOLEAN:
                yield False
    if Kind.LIST in kinds or Kind.JSON in kinds:
        yield ["example"]
    if granting:
        yield "admin"
    yield from _lengths(key)
    yield from _TEXTS


def _lengths(key: MetadataKey) -> Iterator[str]:
    """Texts as long as varchar(n) and CHECKs on the length allow."""
    bounds = {wanted.length for wanted in key.wanted if wanted.length is not None}
    yield "example"
    for number in _numbers(key):
        bounds |= {number - 1, number, number + 1}
    for bound in sorted(bounds, reverse=True):
        if 0 < bound <= 10_000:
            yield ("example" * (bound // 7 + 1))[:bound]


def _numbers(key: MetadataKey) -> Iterator[int]:
    for node in _conditions(key):
        for literal in node.find_all(exp.Literal):
            text = str(literal.this)
            if text.isascii() and text.isdigit() and len(text) < 6:
                yield int(text)


def _listed(key: MetadataKey) -> list[str]:
    """The literals of CHECKs, patterns apart; a number's neighbours too, for `> 0` takes no 0."""
    found: dict[str, None] = {}
    for node in _conditions(key):
        for literal in node.find_all(exp.Literal):
            if literal.is_string and literal.find_ancestor(exp.RegexpLike, exp.RegexpILike, exp.SimilarTo) is None:
                found[str(literal.this)] = None
    if any(wanted.kind in (Kind.INTEGER, Kind.NUMBER) for wanted in key.wanted):
        for number in _numbers(key):
            found.update({str(number): None, str(number + 1): None, str(number - 1): None})
    return list(found)


def _conditions(key: MetadataKey) -> Iterable[exp.Expression]:
    for wanted in key.wanted:
        for check in wanted.checks:
            node = condition_of(check)
            if node is not None:
                yield node


def nested(values: Iterable[tuple[tuple[str, ...], object]], base: Mapping[str, object]) -> dict[str, object]:
    """The base with the values at their paths; what another path leads through is an object."""
    document = dict(base)
    for path, value in sorted(values, key=lambda item: len(item[0])):
        at = document
        for key in path[:-1]:
            inner = at.get(key)
            below: dict[str, object] = dict(inner) if isinstance(inner, dict) else {}
            at[key] = below
            at = below
        at[path[-1]] = value
    return document
