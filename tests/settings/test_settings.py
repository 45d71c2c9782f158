"""What a settings file may say, and what becomes of one that says something else."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from trigger_audit.errors import TriggerAuditError, UsageError
from trigger_audit.findings.model import Severity
from trigger_audit.settings import Settings, chosen_rules, exemptions, load_settings, settings_lines, with_options
from trigger_audit.settings.model import IgnoredFinding
from trigger_audit.smoke.model import Expectation

ALL = """
select = ["TA1", "nullable-into-not-null"]
ignore = ["TA118"]
severity = { TA301 = "error", TA1 = "info" }
fail-on = { scan = "warning", smoke = "fail", check = "info" }
tables = ["public.orders"]
flows = ["anonymous", "signup-phone"]
expect = { signup-email = "fail:P0001", invite = "fail" }
baseline = "audit/baseline.json"

[[ignore-finding]]
rule = "TA118"
object = "public.orders.orders_user_id_fkey"
reason = "accounts with orders stay"
expires = 2026-12-31

[[ignore-finding]]
rule = "missing-exception-handler"
object = "public.log_it"
reason = 'the "log" is required'
"""


def written(folder: Path, text: str | bytes, name: str = "trigger-audit.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    raw = text.encode() if isinstance(text, str) else text
    (folder / name).write_bytes(raw)
    return folder


def refusal(folder: Path, text: str | bytes, name: str = "trigger-audit.toml") -> str:
    """The one line that the user reads."""
    with pytest.raises(UsageError) as caught:
        load_settings(written(folder, text, name))
    assert "\n" not in caught.value.message
    return f"{caught.value.message} ({caught.value.remedy})" if caught.value.remedy else caught.value.message


def test_every_key(tmp_path: Path) -> None:
    found = load_settings(written(tmp_path, ALL))
    assert found.file == "trigger-audit.toml"
    assert found.select.value == ("TA1", "nullable-into-not-null")
    assert found.ignore.value == ("TA118",)
    assert found.severity.value == {"TA301": Severity.ERROR, "TA1": Severity.INFO}
    assert (found.scan_fails_on.value, found.smoke_fails_on.value, found.check_fails_on.value) == (
        "warning",
        "fail",
        "info",
    )
    assert found.tables.value == ("public.orders",)
    assert found.flows.value == ("anonymous", "signup-phone")
    assert found.expect.value == {"signup-email": Expectation("P0001"), "invite": Expectation(None)}
    assert found.baseline.value == "audit/baseline.json"
    assert found.ignored_findings.value == (
        IgnoredFinding("TA118", "public.orders.orders_user_id_fkey", "accounts with orders stay", date(2026, 12, 31)),
        IgnoredFinding("missing-exception-handler", "public.log_it", 'the "log" is required'),
    )
    assert found.select.source == "trigger-audit.toml"


def test_without_a_file_all_is_default(tmp_path: Path) -> None:
    found = load_settings(tmp_path)
    assert found == Settings()
    assert {line.rpartition("  # ")[2] for line in settings_lines(found).splitlines()} == {"default"}


@pytest.mark.parametrize(
    ("value", "scan", "smoke", "check"),
    [
        ('"warning"', "warning", "altered", "warning"),
        ('"never"', "never", "never", "never"),
        ('{ smoke = "never" }', "error", "never", "error"),
        ('{ scan = "info" }', "info", "altered", "error"),
        ('{ check = "warning" }', "error", "altered", "warning"),
        ("{}", "error", "altered", "error"),
    ],
)
def test_a_plain_fail_on_is_that_of_scan_and_check(
    tmp_path: Path, value: str, scan: str, smoke: str, check: str
) -> None:
    found = load_settings(written(tmp_path, f"fail-on = {value}"))
    assert (found.scan_fails_on.value, found.smoke_fails_on.value, found.check_fails_on.value) == (scan, smoke, check)


def test_a_baseline_lies_beside_its_settings(tmp_path: Path) -> None:
    written(tmp_path, 'baseline = "ci/known.json"')
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert load_settings(tmp_path).baseline.value == "ci/known.json"
    assert load_settings(tmp_path / "a" / "b").baseline.value == str(tmp_path / "ci" / "known.json")
    elsewhere = written(tmp_path / "c", 'baseline = "known.json"', "ours.toml") / "ours.toml"
    assert load_settings(tmp_path, elsewhere).baseline.value == "c/known.json"
    assert load_settings(written(tmp_path / "d", 'baseline = "/known.json"')).baseline.value == "/known.json"
    assert load_settings(written(tmp_path / "e", 'baseline = ""')).baseline.value == ""


def test_the_nearest_file_counts_alone(tmp_path: Path) -> None:
    written(tmp_path, 'ignore = ["TA1"]\nselect = ["TA5"]')
    written(tmp_path / "a", '[tool.trigger-audit]\nignore = ["TA2"]', "pyproject.toml")
    written(tmp_path / "a" / "b", '[project]\nname = "trigger-audit"\n[tool]\nother = 1', "pyproject.toml")
    for folder in ("a/b/c", "a/b", "a"):
        (tmp_path / folder).mkdir(exist_ok=True)
        found = load_settings(tmp_path / folder)
        assert found.ignore.value == ("TA2",)
        assert found.select.value == ()
        assert found.ignore.source.endswith("pyproject.toml")
    assert load_settings(tmp_path).ignore.value == ("TA1",)


def test_its_own_file_goes_before_the_shared_one(tmp_path: Path) -> None:
    written(tmp_path, '[tool.trigger-audit]\nignore = ["TA2"]', "pyproject.toml")
    written(tmp_path, "")
    assert load_settings(tmp_path) == Settings(file="trigger-audit.toml")


def test_a_named_file_goes_before_all(tmp_path: Path) -> None:
    written(tmp_path, 'ignore = ["TA1"]')
    other = written(tmp_path / "ci", 'ignore = ["TA2"]', "ours.toml") / "ours.toml"
    assert load_settings(tmp_path, other).ignore.value == ("TA2",)
    empty = written(tmp_path / "ci", "[project]", "pyproject.toml") / "pyproject.toml"
    with pytest.raises(UsageError, match=r"^ci/pyproject\.toml has no table \[tool\.trigger-audit\]$"):
        load_settings(tmp_path, empty)
    with pytest.raises(TriggerAuditError, match="cannot be read: No such file"):
        load_settings(tmp_path, tmp_path / "none.toml")


def test_what_others_wrote_is_not_judged(tmp_path: Path) -> None:
    """A broken pyproject.toml that does not speak of us keeps nobody from a scan; nor does a folder of that name."""
    written(tmp_path, "this is = = no TOML", "pyproject.toml")
    (tmp_path / "trigger-audit.toml").mkdir()
    assert load_settings(tmp_path) == Settings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('selct = ["TA1"]', "trigger-audit.toml: there is no setting 'selct' (did you mean select?)"),
        ('fail_on = "error"', "trigger-audit.toml: there is no setting 'fail_on' (did you mean fail-on?)"),
        (
            'xyz = "error"',
            "trigger-audit.toml: there is no setting 'xyz' "
            "(the settings are select, ignore, severity, fail-on, tables, flows, expect, baseline, ignore-finding)",
        ),
        (
            '[tool.trigger-audit]\nselect = ["TA1"]',
            "trigger-audit.toml: there is no setting 'tool' "
            "(the keys stand at the top there, without [tool.trigger-audit])",
        ),
        ('select = "TA1"', "trigger-audit.toml: select: it must be a list of strings, not a string"),
        ("select = []", "trigger-audit.toml: select: it is empty (leave it out to have all rules)"),
        ("ignore = [1]", "trigger-audit.toml: ignore: it must be a list of strings, and one of them is a number"),
        ('ignore = [" "]', "trigger-audit.toml: ignore: a string in it is empty"),
        ("tables = true", "trigger-audit.toml: tables: it must be a list of strings, not a boolean"),
        ("tables = 2026-11-24", "trigger-audit.toml: tables: it must be a list of strings, not a date or time"),
        ('severity = "error"', "trigger-audit.toml: severity: it must be a table, not a string"),
        (
            'severity = { TA301 = "fatal" }',
            "trigger-audit.toml: severity: 'fatal' is none of error, warning, info",
        ),
        (
            'severity = { TA301 = "off" }',
            "trigger-audit.toml: severity: 'TA301' cannot be off (ignore = [\"TA301\"] leaves a rule out)",
        ),
        ("severity = { TA301 = 1 }", "trigger-audit.toml: severity: TA301 must be a string, not a number"),
        ('fail-on = "fatal"', "trigger-audit.toml: fail-on: 'fatal' is none of error, warning, info, never"),
        (
            'fail-on = "altered"',
            "trigger-audit.toml: fail-on: 'altered' is of smoke alone (write fail-on = { smoke = \"altered\" })",
        ),
        (
            'fail-on = { smoke = "error" }',
            "trigger-audit.toml: fail-on: 'error' is none of fail, altered, never",
        ),
        (
            'fail-on = { demo = "error" }',
            "trigger-audit.toml: fail-on: there is no command 'demo' with it (the commands are scan, smoke, check)",
        ),
        ("fail-on = 1", "trigger-audit.toml: fail-on: it must be a string or a table, not a number"),
        (
            'flows = ["anonymos"]',
            "trigger-audit.toml: flows: there is no flow 'anonymos' (did you mean anonymous?)",
        ),
        (
            'flows = ["login"]',
            "trigger-audit.toml: flows: 'login' counts anyway "
            "(what can be enabled is signup-phone, anonymous, verify-phone)",
        ),
        (
            'expect = { signup = "fail" }',
            "trigger-audit.toml: expect: there is no flow 'signup' (did you mean signup-otp?)",
        ),
        (
            'expect = { login = "pass" }',
            "trigger-audit.toml: expect: login: 'pass' is no expectation (write \"fail\", or \"fail:P0001\")",
        ),
        (
            'expect = { login = "fail:p0001" }',
            "trigger-audit.toml: expect: login: 'fail:p0001' is no expectation (write \"fail\", or \"fail:P0001\")",
        ),
        (
            'expect = { login = "fail:" }',
            "trigger-audit.toml: expect: login: 'fail:' is no expectation (write \"fail\", or \"fail:P0001\")",
        ),
        ("baseline = 1", "trigger-audit.toml: baseline: it must be a string, not a number"),
        (r'baseline = "a\u0000"', "trigger-audit.toml: baseline: it is no path"),
        (
            "ignore-finding = { rule = 'TA1' }",
            "trigger-audit.toml: ignore-finding: it must be a list of tables, not a table "
            "(write [[ignore-finding]] above each)",
        ),
        ("ignore-finding = [1]", "trigger-audit.toml: ignore-finding: entry 1: it must be a table, not a number"),
        (
            "[[ignore-finding]]\nrule = 'TA1'\nobject = 'f'\nreason = ' '",
            "trigger-audit.toml: ignore-finding: entry 1: it has no reason "
            "(rule, object and reason are required, expires is not)",
        ),
        (
            "[[ignore-finding]]\nrule = 1",
            "trigger-audit.toml: ignore-finding: entry 1: rule must be a string, not a number",
        ),
        (
            "[[ignore-finding]]\nrule = 'TA1'\nobject = 'f'\nreason = 'r'\n[[ignore-finding]]\nexpire = 2026-12-31",
            "trigger-audit.toml: ignore-finding: entry 2: there is no key 'expire' (did you mean expires?)",
        ),
        (
            "[[ignore-finding]]\nrule = 'TA1'\nobject = 'f'\nreason = 'r'\nexpires = '2026-12-31'",
            "trigger-audit.toml: ignore-finding: entry 1: expires must be a date, not a string "
            "(write expires = 2026-12-31)",
        ),
        (
            "[[ignore-finding]]\nrule = 'TA1'\nobject = 'f'\nreason = 'r'\nexpires = 2026-12-31T00:00:00Z",
            "trigger-audit.toml: ignore-finding: entry 1: expires must be a date, not a date with a time "
            "(write expires = 2026-12-31)",
        ),
        ("select = [", "trigger-audit.toml is no TOML: Invalid value (at end of document)"),
        (
            "ignore = []\nselect = ?\n",
            "trigger-audit.toml is no TOML: Invalid value (at line 2, column 10)",
        ),
        (b'\nselect = ["\xe9"]', "trigger-audit.toml is not UTF-8: byte 0xe9 in line 2"),
        (
            "x = " + "[" * 5000 + "]" * 5000,
            "trigger-audit.toml cannot be read as TOML: a value in it is too large or too deep",
        ),
        (
            "x = " + "1" * 5000,
            "trigger-audit.toml cannot be read as TOML: a value in it is too large or too deep",
        ),
        (b"#" * (1 << 20) + b"\n", "trigger-audit.toml is larger than a settings file can be (1 MiB)"),
        (f'"{"x" * 1000}" = 1', f"trigger-audit.toml: there is no setting '{'x' * 60}...' "
         "(the settings are select, ignore, severity, fail-on, tables, flows, expect, baseline, ignore-finding)"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path: Path, text: str | bytes, message: str) -> None:
    assert refusal(tmp_path, text) == message


def test_the_shared_file_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path, "[tool.trigger-audit]\nselekt = []", "pyproject.toml") == (
        "pyproject.toml: there is no setting 'selekt' (did you mean select?)"
    )
    assert refusal(tmp_path, "[tool]\ntrigger-audit = 1", "pyproject.toml") == (
        "pyproject.toml: tool.trigger-audit must be a table, not a number (write [tool.trigger-audit])"
    )
    assert refusal(tmp_path, "[tool.trigger-audit", "pyproject.toml").startswith("pyproject.toml is no TOML: ")


def test_windows_line_ends_and_a_byte_order_mark(tmp_path: Path) -> None:
    raw = b"\xef\xbb\xbf" + ALL.replace("\n", "\r\n").encode()
    assert load_settings(written(tmp_path, raw)) == load_settings(written(tmp_path / "same", ALL))


def test_an_option_beats_the_file(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, ALL))
    found = with_options(
        settings, select=("TA118",), tables=("a.b",), scan_fails_on="info", smoke_fails_on="never",
        check_fails_on="error", baseline="b.json",
    )  # fmt: skip
    assert (found.select.value, found.select.source) == (("TA118",), "--select")
    assert (found.ignore.value, found.ignore.source) == ((), "set aside by --select")
    assert (found.tables.value, found.tables.source) == (("a.b",), "--table")
    assert (found.scan_fails_on.value, found.smoke_fails_on.value) == ("info", "never")
    assert (found.check_fails_on.value, found.baseline.value) == ("error", "b.json")
    assert (found.severity, found.ignored_findings) == (settings.severity, settings.ignored_findings)
    assert [rule.meta.code for rule in chosen_rules(found)[0]] == ["TA118"]
    other = with_options(settings, ignore=("TA107",))
    assert (other.select, other.ignore.value) == (settings.select, ("TA107",))
    assert with_options(settings) == settings


def test_the_longest_code_decides_the_severity(tmp_path: Path) -> None:
    text = 'severity = { TA107 = "error", TA1 = "info", missing-return = "warning", ta3 = "info" }'
    _, severities = chosen_rules(load_settings(written(tmp_path, text)))
    assert (severities["TA107"], severities["TA101"]) == (Severity.ERROR, Severity.INFO)
    assert (severities["TA114"], severities["TA301"]) == (Severity.WARNING, Severity.INFO)
    assert "TA501" not in severities


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('select = ["TA999"]', "trigger-audit.toml: select: there is no rule 'TA999'"),
        ('ignore = ["nonsense"]', "trigger-audit.toml: ignore: there is no rule 'nonsense'"),
        ('severity = { TA999 = "info" }', "trigger-audit.toml: severity: there is no rule 'TA999'"),
        ('severity = { "" = "info" }', "trigger-audit.toml: severity: there is no rule ''"),
        ('select = ["TA107"]\nignore = ["TA107"]', "no rule is left: what is selected is ignored too"),
    ],
)
def test_a_rule_that_is_none_is_refused_with_the_file(tmp_path: Path, text: str, message: str) -> None:
    settings = load_settings(written(tmp_path, text))
    with pytest.raises(UsageError) as caught:
        chosen_rules(settings)
    assert caught.value.message == message


def test_of_an_option_the_file_is_not_named(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, ALL))
    with pytest.raises(UsageError, match=r"^there is no rule 'TA999'$"):
        chosen_rules(with_options(settings, select=("TA999",)))


def test_what_is_shown_could_stand_in_a_file(tmp_path: Path) -> None:
    """Read again, it gives the same settings."""
    settings = load_settings(written(tmp_path, ALL))
    again = load_settings(written(tmp_path / "again", settings_lines(settings)))
    assert again == settings


def test_an_ignored_finding_means_rules(tmp_path: Path) -> None:
    first, second = exemptions(load_settings(written(tmp_path, ALL)))
    assert (sorted(first.codes), first.expires) == (["TA118"], date(2026, 12, 31))
    assert (second.rule, sorted(second.codes)) == ("missing-exception-handler", ["TA301"])
    wrong = "[[ignore-finding]]\nrule = 'TA999'\nobject = 'f'\nreason = 'r'"
    with pytest.raises(UsageError, match=r"^trigger-audit.toml: ignore-finding: there is no rule 'TA999'$"):
        exemptions(load_settings(written(tmp_path, wrong)))


def test_the_example_of_the_readme_is_read(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)
    settings = load_settings(written(tmp_path, example))
    rules, severities = chosen_rules(settings)
    assert "TA701" not in {rule.meta.code for rule in rules}
    assert severities == {"TA301": Severity.ERROR}
    assert (settings.scan_fails_on.value, settings.smoke_fails_on.value) == ("warning", "altered")
    assert (settings.tables.value, settings.flows.value) == (("public.orders",), ("anonymous",))
    assert settings.expect.value == dict.fromkeys(("signup-email", "signup-otp"), Expectation("P0001"))
    assert (settings.check_fails_on.value, settings.baseline.value) == ("error", "trigger-audit-baseline.json")
    assert [(each.object, each.expires) for each in exemptions(settings)] == [
        ("public.orders.orders_user_id_fkey", date(2026, 12, 31))
    ]


def test_hostile_names_are_shown_quoted(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, r'tables = ["a\u001b[31m\"\n.b", "é"]'))
    (line,) = [line for line in settings_lines(settings).split("\n") if line.startswith("tables")]
    assert line.startswith(r'tables = ["a\u001b[31m\"\n.b", "é"]')
