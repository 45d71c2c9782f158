"""The values of the settings, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Generic, TypeVar

from trigger_audit.findings.model import Severity
from trigger_audit.smoke.model import Expectation

SCAN_FAILS_ON = ("error", "warning", "info", "never")
"""Of check too."""
SMOKE_FAILS_ON = ("fail", "altered", "never")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """A value and where it comes from: a file, an option, or `default`. `in_file`: an error must name the file."""

    value: T
    source: str = "default"
    in_file: bool = False


@dataclass(frozen=True, slots=True)
class IgnoredFinding:
    """An entry of `[[ignore-finding]]`: `rule` is a code, a prefix of some or a name; `expires` the last day."""

    rule: str
    object: str
    reason: str
    expires: date | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """`flows` are the latent ones that the project has enabled, None where nobody says; `severity` goes by code,
    prefix or name of a rule, `expect` by flow. `baseline` is a path from the working folder, '' for none. `file` is the
    one that was read.
    """

    select: Setting[tuple[str, ...]] = Setting(())
    ignore: Setting[tuple[str, ...]] = Setting(())
    severity: Setting[Mapping[str, Severity]] = field(default_factory=lambda: Setting({}))
    scan_fails_on: Setting[str] = Setting("error")
    smoke_fails_on: Setting[str] = Setting("altered")
    check_fails_on: Setting[str] = Setting("error")
    tables: Setting[tuple[str, ...]] = Setting(())
    flows: Setting[tuple[str, ...] | None] = Setting(None)
    expect: Setting[Mapping[str, Expectation]] = field(default_factory=lambda: Setting({}))
    baseline: Setting[str] = Setting("")
    ignored_findings: Setting[tuple[IgnoredFinding, ...]] = Setting(())
    file: str | None = None


def with_options(
    settings: Settings,
    *,
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    tables: tuple[str, ...] = (),
    scan_fails_on: str | None = None,
    smoke_fails_on: str | None = None,
    check_fails_on: str | None = None,
    baseline: str | None = None,
) -> Settings:
    """An option stands instead of the file's value. --select sets aside both `select` and `ignore` of the file, or a
    rule that is asked for by name might be left out by what is written far away.
    """
    if select:
        settings = replace(settings, select=Setting(select, "--select"), ignore=Setting((), "set aside by --select"))
    if ignore:
        settings = replace(settings, ignore=Setting(ignore, "--ignore"))
    if tables:
        settings = replace(settings, tables=Setting(tables, "--table"))
    if scan_fails_on is not None:
        settings = replace(settings, scan_fails_on=Setting(scan_fails_on, "--fail-on"))
    if smoke_fails_on is not None:
        settings = replace(settings, smoke_fails_on=Setting(smoke_fails_on, "--fail-on"))
    if check_fails_on is not None:
        settings = replace(settings, check_fails_on=Setting(check_fails_on, "--fail-on"))
    if baseline is not None:
        settings = replace(settings, baseline=Setting(baseline, "--baseline"))
    return settings
