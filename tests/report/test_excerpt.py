"""Carets stand below what they mark."""

from trigger_audit.report.excerpt import excerpt


def test_carets_stand_below_the_marked_characters() -> None:
    shown, carets = excerpt("\tselect 宽 from t;", 8, 9, 80)
    assert shown == "    select 宽 from t;"
    assert carets == " " * 11 + "^^"


def test_an_escaped_character_gets_a_caret_for_each_shown_character() -> None:
    shown, carets = excerpt("a\x1bb", 1, 2, 80)
    assert (shown, carets) == ("a\\x1bb", " ^^^^")


def test_a_line_of_a_megabyte_is_cut_around_the_carets() -> None:
    line = "x" * 500_000 + "BAD" + "y" * 500_000
    shown, carets = excerpt(line, 500_000, 500_003, 80)
    assert len(shown) <= 86
    assert "BAD" in shown
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "BAD"


def test_a_mark_behind_the_end_of_the_line_still_shows() -> None:
    assert excerpt("end", 3, 3, 80) == ("end", "   ^")
