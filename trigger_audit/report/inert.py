"""Text that a CI job prints is read by the job's runner: nothing of ours may be taken for a command.

GitHub's runner obeys a line whose first characters, blanks aside, are `::`, and the older form `##[name]` anywhere in a
line; Azure's obeys `##vso[`, TeamCity's `##teamcity[`.
"""

from __future__ import annotations

import re

_IN_A_LINE = re.compile(r"##(?=\w*\[)")
_AT_ITS_START = re.compile(r"^(\s*):(?=:)", re.MULTILINE)


def inert_text(text: str) -> str:
    """Plain text with an escape in place of the character that would make a command."""
    return _AT_ITS_START.sub(r"\1\\x3a", inert_inside(text)) if "::" in text else inert_inside(text)


def inert_inside(text: str) -> str:
    """The same for a text that does not stand at the start of a line."""
    return _IN_A_LINE.sub(r"#\\x23", text) if "##" in text else text


def inert_json(text: str) -> str:
    """The same for JSON that is indented, where no line starts with a string's content: it still means the same."""
    return _IN_A_LINE.sub(r"#\\u0023", text)


def inert_xml(text: str) -> str:
    """The same for XML: it still means the same."""
    return _AT_ITS_START.sub(r"\1&#58;", _IN_A_LINE.sub("#&#35;", text))
