"""The annotations as the runner of GitHub Actions reads them, and as a shell does."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest
from hypothesis import given

from tests.report.hostile import TEXTS, Command, commands, hostile
from tests.report.results import FILE, Results
from trigger_audit.findings.model import FilePlace, Severity
from trigger_audit.report.formats import Format, render
from trigger_audit.report.github import annotation, escaped_data, escaped_property, shown
from trigger_audit.report.inert import inert_text

pytestmark = pytest.mark.xdist_group("formats")


def read(output: str) -> list[Command]:
    found = commands(output)
    assert None not in found, output
    return [command for command in found if command is not None]


def test_each_thing_that_the_migrations_bring_is_an_annotation_at_its_place(results: Results) -> None:
    found = read(render(results.check_with_base, Format.GITHUB))
    told = {(command.name, command.properties["title"]): command for command in found}
    missing = told["error", "TA104 missing-privilege"]
    assert missing.properties == {
        "file": FILE,
        "line": "13",
        "col": "3",
        "endColumn": "71",
        "title": "TA104 missing-privilege",
    }
    first, *_, last = missing.data.split("\n")
    assert first.endswith("it lacks INSERT on table public.login_history (public.note_login() line 3)")
    assert last.startswith("Fix: alter function public.note_login() security definer")
    refused = told["error", "statement refused"].properties
    assert (refused["line"], refused["col"], refused["endColumn"]) == ("42", "8", "8")
    failed = told["error", "fail 42501: signup-autoconfirm, login"].properties
    assert (failed["file"], failed["line"]) == (FILE, "13")
    # Nothing failed there: the trigger is what did it.
    altered = told["warning", "altered: recovery"].properties
    assert (altered["file"], altered["line"], altered["endLine"]) == (FILE, "29", "30")
    # What was so in the base is no news, and what is suppressed none at all.
    assert not any("TA118" in title or "TA501" in title for _, title in told)


def test_the_worst_come_first(results: Results) -> None:
    for result in results.all().values():
        names = [command.name for command in read(render(result, Format.GITHUB))]
        assert names == sorted(names, key=["error", "warning", "notice"].index)


def test_a_database_has_no_files(results: Results) -> None:
    found = read(render(results.database, Format.GITHUB))
    assert found
    assert all("file" not in command.properties for command in found)


def test_a_place_of_several_lines_has_no_columns() -> None:
    (found,) = read(annotation(Severity.INFO, "t", ["x"], FilePlace("a.sql", 3, 5, 6, 2)))
    assert found == Command("notice", {"file": "a.sql", "line": "3", "endLine": "6", "title": "t"}, "x")


def test_a_file_outside_the_repository_is_none() -> None:
    (found,) = read(annotation(Severity.ERROR, "t", ["x"], FilePlace("/elsewhere/a.sql", 3, 5, 3, 9)))
    assert found.properties == {"title": "t"}


@given(TEXTS, TEXTS)
def test_every_text_comes_out_as_it_went_in(title: str, text: str) -> None:
    title = f"<{title}>"
    (found,) = read(f"::error title={escaped_property(title)}::{escaped_data(text)}")
    assert found == Command("error", {"title": title}, text)
    (found,) = read(annotation(Severity.WARNING, title, [text]))
    assert found == Command("warning", {"title": shown(title)[:255]}, shown(text))


def test_no_text_of_the_database_is_a_command(results: Results) -> None:
    @given(TEXTS)
    def holds(text: str) -> None:
        result = hostile(results.check_with_base, text)
        found = read(render(result, Format.GITHUB))
        # A finding, a broken statement, two ways in which flows fail, and what was not analysed; nothing else.
        assert [command.name for command in found] == ["error", "error", "error", "warning", "notice"]
        for format_ in set(Format) - {Format.GITHUB}:
            assert not any(commands(render(result, format_))), format_

    holds()


def test_what_reads_like_a_command_is_still_to_be_read() -> None:
    assert inert_text(" ::error::x\na ##[group]b") == " \\x3a:error::x\na #\\x23[group]b"
    assert inert_text("a ::error:: and ## [x]") == "a ::error:: and ## [x]"


SHELL = r"""
while IFS= read -r line; do
  [[ $line =~ ^::(error|warning|notice)\ ([^:]*)::(.*)$ ]] || exit 9
  title=${BASH_REMATCH[2]##*title=} data=${BASH_REMATCH[3]}
  for name in title data; do
    declare -n text=$name
    text=${text//%0D/$'\r'} text=${text//%0A/$'\n'}
    [[ $name == title ]] && text=${text//%3A/:} && text=${text//%2C/,}
    text=${text//%25/%}
  done
  printf '%s\0%s\0%s\0' "${BASH_REMATCH[1]}" "$title" "$data"
done
"""


def test_a_shell_reads_the_annotations(results: Results) -> None:
    output = render(replace(results.check_with_base, base=None), Format.GITHUB)
    done = subprocess.run(["bash", "-c", SHELL], input=output.encode(), capture_output=True, check=True)
    told = done.stdout.decode().split("\0")[:-1]
    expected = [part for each in read(output) for part in (each.name, each.properties["title"], each.data)]
    assert told == expected
