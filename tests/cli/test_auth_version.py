"""`smoke --auth-version`: whose answers are told, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import run

REFUSING = """
create function public.refuse() returns trigger language plpgsql as $$
begin
  raise exception 'the list is closed';
end $$;
create trigger refuse before update of confirmation_token on auth.users
  for each row execute function public.refuse();
"""


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("latest", "error: --auth-version: 'latest' is no version of Auth, such as 2.158.1"),
        ("", "error: --auth-version: '' is no version of Auth, such as 2.158.1"),
        ("v1.2.3", "error: --auth-version: the answers of Auth before v2.116.0 are not known here"),
    ],
)
def test_what_is_no_version(version: str, told: str, tmp_path: Path) -> None:
    found = run("smoke", str(tmp_path), "--auth-version", version)
    assert (found.code, found.out, found.error) == (2, "", told)


def test_the_answers_of_an_older_version(tmp_path: Path) -> None:
    file = tmp_path / "refuse.sql"
    file.write_text(REFUSING, encoding="utf-8")
    found = run("smoke", str(file), "--flow", "signup-email", "--auth-version", "v2.158.1")
    assert found.code == 1
    assert "500 Error sending confirmation mail " in found.out
    told = " ".join(found.out.split())
    assert (
        "over HTTP: without the header X-Supabase-Api-Version the same request answers "
        '500 {"code": "P0001", "message": "the list is closed"}'
    ) in told
    newest = run("smoke", str(file), "--flow", "signup-email")
    assert "500 Error sending confirmation email " in newest.out


def test_a_version_that_is_newer_than_what_is_known(tmp_path: Path) -> None:
    file = tmp_path / "refuse.sql"
    file.write_text(REFUSING, encoding="utf-8")
    note = "note: Auth v9.0.0 is newer than what is known here: the answers are those of v2.196.0\n"
    newer = run("smoke", str(file), "--flow", "login", "--auth-version", "9.0.0")
    assert note in newer.out
    newest = run("smoke", str(file), "--flow", "login", "--auth-version", "2.196.0")
    assert newest.out == newer.out.replace(f"{note}\n", "")
