"""Reading CONTEXT: names quoted and not, functions with arguments, other languages of the server."""

from __future__ import annotations

import pytest

from trigger_audit.smoke.context import Candidate, Frame, full_name, innermost_frame, shortened


@pytest.mark.parametrize(
    ("context", "frame"),
    [
        (
            'SQL statement "INSERT INTO x"\nPL/pgSQL function public.handle_new_user() line 5 at SQL statement',
            Frame("public", "handle_new_user", "", 5),
        ),
        ("PL/pgSQL function f() line 3 at RAISE", Frame(None, "f", "", 3)),
        ('PL/pgSQL function "My Schema"."f.""g"(text,int) line 12 at IF', Frame("My Schema", 'f."g', "text,int", 12)),
        ("PL/pgSQL function public.f(numeric(10,2)[]) line 2 at RETURN", Frame("public", "f", "numeric(10,2)[]", 2)),
        ("PL/pgSQL function public.f() during function entry", Frame("public", "f", "", None)),
        (
            "PL/pgSQL function public.f() line 4 during statement block local variable initialization",
            Frame("public", "f", "", 4),
        ),
        ('compilation of PL/pgSQL function "f" near line 4', Frame(None, "f", None, None)),
        (
            'compilation of PL/pgSQL function "f" near line 4\nPL/pgSQL function a.b() line 3 at PERFORM',
            Frame(None, "f", None, None),
        ),
        ("PL/pgSQL function a.f() while casting return value to function's return type", Frame("a", "f", "", None)),
        (
            "PL/pgSQL function inline_code_block line 1 at RAISE\nPL/pgSQL function a.b() line 4 at EXECUTE",
            Frame("a", "b", "", 4),
        ),
        ('SQL function "slug" statement 1\nPL/pgSQL function a.b() line 4 at PERFORM', Frame(None, "slug", None, None)),
        ("PL/pgSQL-Funktion public.f() Zeile 5 bei SQL-Anweisung", Frame("public", "f", "", 5)),
        ("fonction PL/pgSQL public.f(), ligne 7 à instruction SQL", Frame("public", "f", "", 7)),
        ('SQL statement "DELETE FROM ONLY a.b"', None),
        ("", None),
        (None, None),
    ],
)  # fmt: skip
def test_innermost_frame(context: str | None, frame: Frame | None) -> None:
    assert innermost_frame(context) == frame


def test_full_name() -> None:
    one = Candidate("public", "f", (), fired=True)
    other = Candidate("private", "f", (), fired=False)
    overloaded = Candidate("public", "f", ("text", "other.mood"), fired=False)
    assert full_name(Frame(None, "f", "", 1), [one, overloaded]) == "public.f()"
    assert full_name(Frame(None, "f", "", 1), [one, other]) == "public.f()"
    assert full_name(Frame(None, "f", "text,mood", 1), [one, overloaded]) == "public.f(text, other.mood)"
    assert full_name(Frame(None, "f", "integer", 1), [one]) == "f(integer)"


def test_shortened() -> None:
    assert shortened("a\nb") == "a\nb"
    assert shortened("a\nb\nc\nd", 2) == "a\nb\n... (2 more lines)"
    assert shortened(None) is None
