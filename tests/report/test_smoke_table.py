"""The table of the flows fits the terminal where words allow it."""

from __future__ import annotations

import re

from trigger_audit.report.smoke_table import column_widths, flow_table
from trigger_audit.report.table import Style
from trigger_audit.smoke.model import Answer, Expectation, FailedStep, FlowResult, Mail, Outcome, Payload

CELLS = [
    ("signup-email", "bare, full, duplicate, admin", "fail", "500 Database error saving new user", "-", "23502 f:3"),
    ("anonymous (latent)", "bare, full", "pass", "ok", "sent, its token is lost", ""),
]
# Of the columns in their order, for these cells.
NATURAL = (18, 28, 7, 34, 23, 9)
ALL = sum(NATURAL) + 10


def widths(width: int) -> list[int]:
    return [limit or natural for limit, natural in zip(column_widths(CELLS, width), NATURAL, strict=True)]


def test_a_table_that_fits_is_left_alone() -> None:
    assert column_widths(CELLS, ALL) == [None] * 6
    assert column_widths(CELLS, 300) == [None] * 6


def test_a_table_that_does_not_fit_gives_way_where_there_are_words() -> None:
    for width in range(90, ALL):
        assert sum(widths(width)) + 10 == width
    # Headers and words stay whole, however narrow the terminal; flow and outcome are never wrapped.
    assert widths(20) == [18, 10, 7, 17, 5, 5]


def test_a_name_without_a_blank_is_broken_at_last() -> None:
    long = [(*row[:-1], "x" * 500) for row in CELLS]
    assert column_widths(long, 80)[-1] == 30


def test_colour_does_not_count() -> None:
    step = FailedStep(1, "INSERT auth.users", "23502", "null value", function="public.handle_new_user()", line=3)
    answer = Answer(500, "unexpected_failure", "Database error saving new user")
    base = (None, None, answer, Mail.SENT_TOKEN_LOST, (), 0)
    flows = [
        FlowResult("signup-email", payload, False, Outcome.FAIL, None, step, *base[2:], expected=expected)
        for payload in (Payload.BARE, Payload.FULL)
        for expected in (None, Expectation("23502"), Expectation("P0001"))
    ]
    flows += [FlowResult("login", Payload.BARE, True, outcome, *base) for outcome in Outcome]
    for terminal in (None, *range(40, 200, 7)):
        plain, painted = (flow_table(flows, Style(colour=colour, terminal=terminal)) for colour in (False, True))
        assert painted != plain
        assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain
