"""Nothing from a database can act on a terminal."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from trigger_audit.visible import plain


@given(st.text())
def test_no_control_or_format_character_survives(text: str) -> None:
    shown = plain(text)
    assert all(unicodedata.category(character) not in ("Cc", "Cf", "Zl", "Zp", "Cs") for character in shown)


def test_what_is_made_visible_stays_readable() -> None:
    assert plain('a\x1b[31mb\nc\u202ed "ü"') == 'a\\x1b[31mb\\nc\\u202ed "ü"'
