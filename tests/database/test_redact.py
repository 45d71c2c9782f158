"""No spelling of a password survives, and ordinary words do."""

from __future__ import annotations

from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_audit.database.redact import redact

SECRET = "p@ss/w#rd? %&'\\x"


@pytest.mark.parametrize(
    "text",
    [SECRET, quote(SECRET), quote(SECRET, safe=""), quote_plus(SECRET), quote(SECRET, safe="").lower(), repr(SECRET)],
)
def test_spellings(text: str) -> None:
    assert redact(f"before >{text}< after", [SECRET]).replace('"', "") == "before >***< after"


def test_what_a_parser_left_of_it() -> None:
    # Cut at the first @ the rest of the password is taken for a host.
    assert "w#rd" not in redact('could not translate host name "ss/w#rd? %&\'\\x@host" to address', [SECRET])
    assert "s3cret" not in redact('invalid port number: "12#s3cret"', ["a:12#s3cret"])


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("cannot open postgresql://me:topsecret@h/db", "cannot open postgresql://me:***@h/db"),
        ("postgresql+psycopg2://me:a@b/c@h/db", "postgresql+psycopg2://me:***@h/db"),
        ("host=h password=topsecret dbname=d", "host=h password=*** dbname=d"),
        ("host=h password='top secret' dbname=d", "host=h password=*** dbname=d"),
        (
            "jdbc:postgresql://h/d?user=u&password=topsecret&ssl=true",
            "jdbc:postgresql://h/d?user=u&password=***&ssl=true",
        ),
        ('{"password": "top secret", "a": 1}', '{"password": ***, "a": 1}'),
        ("sslpassword=topsecret", "sslpassword=***"),
        ("PGPASSWORD=topsecret psql", "PGPASSWORD=*** psql"),
        ("postgresql://me@h/db?sslmode=require", "postgresql://me@h/db?sslmode=require"),
        ('password authentication failed for user "me"', 'password authentication failed for user "me"'),
    ],
)
def test_patterns_without_a_known_secret(text: str, safe: str) -> None:
    assert redact(text) == safe


def test_a_short_secret_leaves_words_alone() -> None:
    assert redact("a cat sat at a=cat", ["cat"]) == "a *** sat at a=***"
    assert redact("concatenate", ["cat"]) == "concatenate"
    assert redact("nothing", ["", "x"]) == "nothing"


@given(secret=st.text(min_size=4, max_size=30), before=st.text(max_size=10), after=st.text(max_size=10))
def test_no_secret_survives(secret: str, before: str, after: str) -> None:
    if "***" in before + after or set(secret) <= {"*"} or secret in before + after:
        return
    for spelling in (secret, quote(secret, safe=""), quote(secret), quote_plus(secret)):
        assert spelling not in redact(f"{before}\0{spelling}\0{after}", [secret])
