"""Results whose every text is one that a database could hold, and what a CI job's runner makes of a line."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import strategies as st

from trigger_audit.check.model import CheckResult, FlowChange
from trigger_audit.findings.model import FilePlace, Finding, NotAnalysed
from trigger_audit.smoke.model import Change, FailedStep, Outcome

PIECES = (
    "::error::",
    "::stop-commands::x",
    "::add-mask::a",
    "##[set-output name=a;]b",
    "##vso[task.complete]",
    "###[error]",
    "\n::error file=a::b",
    "\r\n",
    "%0A",
    "%3A%2C",
    "%",
    "\x1b[31m",
    "\0",
    "\x85",
    "\u202e",
    "\u2028",
    "\ufeff",
    "\ufffe",
    "\ud800",
    "]]>",
    "<!-- ",
    "-->",
    "</details>",
    "<script>",
    "&amp;",
    "&#10;",
    "|",
    "\\|",
    "\\",
    "`",
    "````",
    "[x](http://e)",
    "![x](//e)",
    "https://e.test/",
    "www.e.test",
    "a@e.test",
    "@team",
    "#12",
    "GH-12",
    "$x$",
    "*a*",
    "_a_",
    "~~a~~",
    "# ",
    "- ",
    "1. ",
    "    ",
    "{0}",
    "{{",
    '"',
    "'",
    "=",
    ",",
    ":",
    "é",
    "宽",
    "🙂",
)
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), min_size=1, max_size=8).map("".join)


def hostile(result: CheckResult, text: str) -> CheckResult:
    """One finding, one mended one, one broken statement, one open thing and two flows, all of them with this text."""
    finding = result.scan.findings[0]
    flow = next(flow for flow in result.failing if flow.failed_step is not None)
    assert result.smoke is not None
    step = flow.failed_step
    assert step is not None
    found = _finding(finding, text)
    failed = replace(flow, failed_step=_step(step, text), reason=text)
    altered = replace(
        flow,
        flow="recovery",
        outcome=Outcome.ALTERED,
        failed_step=None,
        changes=(Change(text, text, text),),
        culprits=(),
    )
    item = NotAnalysed(_path(text), 3, f"not applied: {text}")
    report = replace(result.smoke.report, flows=(failed, altered))
    return replace(
        result,
        scan=replace(result.scan, findings=(found, replace(found, suppressed=text)), not_analysed=(item,)),
        smoke=replace(result.smoke, report=report),
        added=(found,),
        mended=(found,),
        flows=(FlowChange(altered, failed), FlowChange(failed, altered)),
        failing=(failed, altered),
        broken=(item,),
        not_analysed=(NotAnalysed(text, None, text),),
    )


def _finding(finding: Finding, text: str) -> Finding:
    assert finding.place is not None
    place = replace(finding.place, function=text, source_line=text, statement=text)
    return replace(
        finding,
        object=text,
        message=text,
        why=text,
        fix=text,
        place=place,
        file_place=FilePlace(_path(text), 3, 1, 3, 2),
        paths=tuple(replace(way, via=(text,), table=text, trigger=text) for way in finding.paths),
    )


def _path(text: str) -> str:
    """One that a file system takes: without NUL and halves of surrogate pairs."""
    return "a/" + "".join(each for each in text if each != "\0" and not "\ud800" <= each <= "\udfff")


def _step(step: FailedStep, text: str) -> FailedStep:
    return replace(step, message=text, detail=text, hint=text, statement=text, function=text, constraint=text)


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    properties: dict[str, str]
    data: str


REGISTERED = {
    "error", "warning", "notice", "debug", "group", "endgroup", "add-mask", "add-matcher", "remove-matcher", "echo",
    "stop-commands", "set-output", "save-state", "set-env", "add-path",
}  # fmt: skip


def commands(output: str) -> list[Command | None]:
    """For each line the command that GitHub's runner takes it for: as it reads both forms, the newer one first."""
    lines = output.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [_newer_form(line) or _older_form(line) for line in lines if line]


def _newer_form(line: str) -> Command | None:
    line = line.lstrip()
    if not line.startswith("::"):
        return None
    head, separator, data = line[2:].partition("::")
    name, _, listed = head.partition(" ")
    if not separator or name not in REGISTERED:
        return None
    pairs = [pair.partition("=") for pair in listed.strip().split(",") if pair]
    properties = {key: _unescaped(value, "\r\n:,%") for key, _, value in pairs if value}
    return Command(name, properties, _unescaped(data, "\r\n%"))


def _older_form(line: str) -> Command | None:
    _, found, rest = line.partition("##[")
    head, end, data = rest.partition("]")
    name = head.partition(" ")[0]
    return Command(name, {}, data) if found and end and name in REGISTERED else None


def _unescaped(text: str, characters: str) -> str:
    for character in characters:
        text = text.replace(f"%{ord(character):02X}", character)
    return text
