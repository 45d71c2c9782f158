"""Text of the database in Markdown and HTML: it shows as it is, and is never a link, a mention or markup.

Backslashes do for Markdown alone. Code hosts look for mentions (`@team`), references (`#12`, `!3`), formulas and
addresses in what is rendered, so the characters that make one stand in an element of their own.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from trigger_audit.visible import plain

_MARKDOWN = re.compile(
    r"[\\`*_\[\]<>|~&#]"
    r"|\A[-+=:]|(?<=\A[0-9])[.)]|(?<=\A[0-9]{2})[.)]"  # what makes a block of a line at its start
)
_REFERENCE = re.compile(
    r"[@#!~%^&](?=[\w\"'])|\$"  # mentions and references of GitHub and GitLab, formulas
    r"|:(?=//)|(?<=www)\.|(?<=mailto):|(?<=xmpp):"  # addresses
    r"|(?<=\bGH)-(?=\d)",
    re.IGNORECASE,
)


def markdown_text(text: str) -> str:
    """One line of Markdown, also for the cell of a table."""
    return _pieces(plain(text).lstrip(), lambda part: _MARKDOWN.sub(r"\\\g<0>", part))


def html_text(text: str) -> str:
    """One line of HTML."""
    return _pieces(plain(text), html.escape)


def code(text: str) -> str:
    """One line as code. An element and not a span of Markdown: that has no escapes, and in a cell it ends at `|`."""
    return f"<code>{markdown_text(text)}</code>" if text else ""


def fenced(lines: list[str]) -> str:
    """A block of code; its fence is longer than any in it."""
    shown = [plain(line) for line in lines]
    longest = max((len(run) for line in shown for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}text", *shown, fence])


def _pieces(shown: str, escaped: Callable[[str], str]) -> str:
    parts: list[str] = []
    at = 0
    for found in _REFERENCE.finditer(shown):
        parts += [escaped(shown[at : found.start()]), f"<span>{escaped(found[0])}</span>"]
        at = found.end()
    return "".join([*parts, escaped(shown[at:])])
