"""Which version of Supabase Auth works on a database: its newest migration says so, as finely as migrations can.

Source: the tags of supabase/auth, each with the newest file in migrations/ (v2.196.0).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

_WRITTEN = re.compile(r"v?([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})", re.ASCII)
_MIGRATION = re.compile("[0-9]{14}", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A release of Auth."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"v{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True)
class Span:
    """The versions that it may be: from `first` on, all before `below` (None: no bound is known)."""

    first: Version | None = None
    below: Version | None = None

    def __str__(self) -> str:
        if self.first is None:
            return "of unknown version" if self.below is None else f"older than {self.below}"
        return f"{self.first} or later" + ("" if self.below is None else f", older than {self.below}")

    def before(self, change: Version) -> bool:
        """Whether it is surely older than the version that brought a change; in doubt it is not."""
        return self.below is not None and self.below <= change

    def straddles(self, change: Version) -> bool:
        """Whether it may be older or not."""
        return not self.before(change) and (self.first is None or self.first < change)


OLDEST = Version(2, 116, 0)
"""The texts of older ones have not been looked at."""

NEWEST = Version(2, 196, 0)
"""The newest one that has been looked at."""

MIGRATIONS = (
    ("20231117164230", OLDEST),
    ("20240115144230", Version(2, 136, 0)),
    ("20240214120130", Version(2, 144, 0)),
    ("20240314092811", Version(2, 144, 1)),
    ("20240427152123", Version(2, 151, 0)),
    ("20240612123726", Version(2, 154, 0)),
    ("20240729123726", Version(2, 158, 0)),
    ("20240802193726", Version(2, 158, 1)),
    ("20240806073726", Version(2, 159, 0)),
    ("20241009103726", Version(2, 163, 0)),
    ("20250717082212", Version(2, 178, 0)),
    ("20250731150234", Version(2, 179, 0)),
    ("20250904133000", Version(2, 180, 0)),
    ("20251007112900", Version(2, 181, 0)),
    ("20251111201300", Version(2, 183, 0)),
    ("20251201000000", Version(2, 184, 0)),
    ("20260121000000", Version(2, 186, 0)),
    ("20260219120000", Version(2, 187, 0)),
    ("20260302000000", Version(2, 188, 0)),
    ("20260625000000", Version(2, 192, 0)),
)
"""The newest migration of a release, and the first release that has it as its newest; ordered."""


def span_of(migration: str | None) -> Span:
    """The versions whose newest migration that is (auth.schema_migrations.version, 14 digits); any for another text."""
    if migration is None or _MIGRATION.fullmatch(migration) is None:
        return Span()
    place = bisect_right([known for known, _ in MIGRATIONS], migration)
    first = MIGRATIONS[place - 1][1] if place else None
    return Span(first, MIGRATIONS[place][1] if place < len(MIGRATIONS) else None)


def exactly(version: Version) -> Span:
    """That version alone."""
    return Span(version, Version(version.major, version.minor, version.patch + 1))


def parse_version(text: str) -> Version:
    """`2.158.1` or `v2.158.1`. ValueError with one line for anything else, and for versions not known here."""
    written = _WRITTEN.fullmatch(text.strip())
    if written is None:
        raise ValueError(f"{text!r} is no version of Auth, such as 2.158.1")
    major, minor, patch = map(int, written.groups())
    version = Version(major, minor, patch)
    if version < OLDEST:
        raise ValueError(f"the answers of Auth before {OLDEST} are not known here")
    return version
