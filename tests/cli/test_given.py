"""`--metadata`, `--email` and `--payload` before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from trigger_audit.cli.given import read_email, read_metadata, read_payloads
from trigger_audit.errors import UsageError

BAD = {
    "": "no JSON",
    "{": "no JSON",
    "[1]": "must be a JSON object",
    '"admin"': "must be a JSON object",
    "null": "must be a JSON object",
    "{'role': 'admin'}": "no JSON",
    '{"a": NaN}': "NaN is no JSON",
    '{"a": -Infinity}': "Infinity is no JSON",
    '{"a": 1e999}': "too large",
    '{"a": ' + "9" * 5000 + "}": "--metadata",
    '{"a": "\\u0000"}': "a character",
    '{"\\u0000": 1}': "a character",
    '{"a": "\\ud800"}': "a character",
    '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}": "nested too deeply",
    '{"a": "' + "x" * 1_000_000 + '"}': "more than an app sends",
    "@/no/such/file": "cannot read",
    "@": "cannot read",
    "@\0": "cannot read",
}


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_metadata_that_no_app_sends_is_a_usage_error_of_one_line(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_metadata(text)
    assert BAD[text] in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_metadata_is_an_object_in_text_or_in_a_file(tmp_path: Path) -> None:
    hostile = '{"name": "\x1b[31mred\\u202e", "role": "x\'); drop table auth.users; --", "deep": {"n": [1, 2.5, true]}}'
    hostile = hostile.replace("\x1b", "\\u001b")
    document = {"name": "\x1b[31mred\u202e", "role": "x'); drop table auth.users; --", "deep": {"n": [1, 2.5, True]}}
    assert read_metadata(hostile) == document
    path = tmp_path / "data.json"
    path.write_text("\ufeff" + hostile, encoding="utf-8")
    assert read_metadata(f"@{path}") == document
    assert read_metadata("{}") == {}
    assert read_metadata(None) is None
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(UsageError, match="is not UTF-8"):
        read_metadata(f"@{path}")


def test_an_address_has_one_at_sign_and_no_blanks() -> None:
    assert read_email(" Ada+test@Example.com ") == "ada+test@example.com"
    assert read_email(None) is None
    for text in ("", "ada", "@example.com", "ada@", "a@b@c", "a b@c", "a\n@c", "a\x1b@c", "a\0@c", "a" * 256 + "@b.c"):
        with pytest.raises(UsageError):
            read_email(text)


def test_payloads_by_name() -> None:
    assert read_payloads(("full", "bare", "full"), None) == ("full", "bare")
    assert read_payloads(("given",), {}) == ("given",)
    with pytest.raises(UsageError, match="needs --metadata"):
        read_payloads(("given",), None)
    with pytest.raises(UsageError, match="no payload 'root'") as caught:
        read_payloads(("root",), None)
    assert caught.value.remedy == "the payloads are bare, full, google, duplicate, admin, given"
