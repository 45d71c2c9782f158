"""Which versions of Auth a migration stands for, and what is taken for a version."""

from __future__ import annotations

import pytest

from trigger_audit.auth.versions import MIGRATIONS, OLDEST, Span, Version, exactly, parse_version, span_of


@pytest.mark.parametrize(
    ("migration", "told"),
    [
        ("20240729123726", "v2.158.0 or later, older than v2.158.1"),
        ("20240806073726", "v2.159.0 or later, older than v2.163.0"),
        ("20250601000000", "v2.163.0 or later, older than v2.178.0"),
        ("20260625000000", "v2.192.0 or later"),
        ("20991231235959", "v2.192.0 or later"),
        ("20230101000000", "older than v2.116.0"),
        ("00", "of unknown version"),
        ("", "of unknown version"),
        ("2024080607372a", "of unknown version"),
        (None, "of unknown version"),
    ],
)
def test_versions_of_a_migration(migration: str | None, told: str) -> None:
    assert str(span_of(migration)) == told


def test_the_table_is_in_order_and_each_line_begins_where_the_one_before_ends() -> None:
    assert list(MIGRATIONS) == sorted(MIGRATIONS)
    assert [version for _, version in MIGRATIONS] == sorted({version for _, version in MIGRATIONS})
    spans = [span_of(migration) for migration, _ in MIGRATIONS]
    assert [span.below for span in spans[:-1]] == [span.first for span in spans[1:]]
    assert spans[0].first == OLDEST
    assert spans[-1].below is None


def test_before_and_astride_a_change() -> None:
    change = Version(2, 160, 0)
    spans = {
        "before": Span(Version(2, 158, 1), Version(2, 160, 0)),
        "astride": Span(Version(2, 159, 0), Version(2, 163, 0)),
        "since": Span(Version(2, 160, 0), Version(2, 163, 0)),
        "any": Span(),
        "old": Span(None, Version(2, 116, 0)),
    }
    assert {name for name, span in spans.items() if span.before(change)} == {"before", "old"}
    assert {name for name, span in spans.items() if span.straddles(change)} == {"astride", "any"}


@pytest.mark.parametrize("text", ["2.158.1", "v2.158.1", " v2.158.1 "])
def test_a_version(text: str) -> None:
    assert parse_version(text) == Version(2, 158, 1)


def test_one_version_is_before_or_since_each_change() -> None:
    span = exactly(Version(2, 159, 9))
    assert span.before(Version(2, 160, 0))
    assert not exactly(Version(2, 160, 0)).before(Version(2, 160, 0))
    assert not any(span.straddles(version) for _, version in MIGRATIONS)


@pytest.mark.parametrize(
    "text", ["", "2.158", "latest", "2.158.1-rc.1", "2.158.1\n2", "٢.158.1", "2.158.99999", "v 2.1.1"]
)
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(ValueError, match="is no version of Auth, such as") as raised:
        parse_version(text)
    assert "\n" not in str(raised.value)


def test_versions_that_are_too_old() -> None:
    with pytest.raises(ValueError, match=r"^the answers of Auth before v2\.116\.0 are not known here$"):
        parse_version("2.115.9")
