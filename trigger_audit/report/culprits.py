"""What a smoke run has proved, in words: which trigger it is, and what handlers hid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from trigger_audit.report.excerpt import excerpt
from trigger_audit.report.table import in_file, told
from trigger_audit.visible import plain

if TYPE_CHECKING:
    from trigger_audit.check.source_map import SourceMap
    from trigger_audit.findings.model import FilePlace
    from trigger_audit.report.table import Style
    from trigger_audit.smoke.model import Culprit, FlowResult, HiddenError


def culprit_lines(flows: Iterable[FlowResult], pad: str, style: Style) -> list[str]:
    """One entry for each culprit of the flows, which went wrong in the same way; last those behind it."""
    found: dict[tuple[bool, str, str], Culprit] = {}
    for flow in flows:
        for culprit in flow.culprits:
            found.setdefault((culprit.behind, culprit.kind, culprit.name), culprit)
    return [
        line
        for culprit in sorted(found.values(), key=lambda culprit: culprit.behind)
        for line in told(pad, "behind it" if culprit.behind else "culprit", culprit_words(culprit), style)
    ]


def culprit_words(culprit: Culprit) -> str:
    """`trigger auth.users.x (proved: ...)`."""
    name = f"{culprit.kind} {culprit.name}"
    if culprit.kind == "policy":
        return _row_security(culprit)
    if culprit.kind == "setting" and not culprit.sufficient:
        return f"{name} (proved: with PostgreSQL's own value this does not happen; sessions here start with another)"
    if culprit.kind != "trigger":
        return f"{name} (the server names it; it happens with every trigger off too)"
    others = ", ".join(culprit.group)
    if culprit.group and not culprit.alone:
        name += f" or {others}"
    what = _behind(culprit) if culprit.behind else _shown(culprit)
    if culprit.group and culprit.alone:
        what += f"; {others} went off with it, and cannot have been running"
    return f"{name} (proved: {what})"


def _row_security(culprit: Culprit) -> str:
    """The server names a policy only where it is restrictive, else the table."""
    told = "the server names it; it happens with every trigger off too"
    if culprit.policies:
        told += f"; the row must satisfy one of its policies {', '.join(culprit.policies)}"
    return f"row security: {culprit.name} ({told})"


def _behind(culprit: Culprit) -> str:
    one = not culprit.group or culprit.alone
    return f"{'it breaks' if one else 'one of them breaks'} the flow as well once the culprit is off"


def _shown(culprit: Culprit) -> str:
    several = bool(culprit.group) and not culprit.alone
    it = "them" if several else "it"
    off = f"{it} off (they share a function)" if several else f"{it} off"
    if culprit.earlier:
        off += " when the user is made"
    if culprit.necessary and culprit.sufficient:
        return f"with {off} this does not happen, with {it} alone on it does"
    if culprit.necessary:
        takes = "they take" if several else "it takes"
        return f"with {off} this does not happen, but {takes} another one as well"
    return f"with {it} alone on this happens, but another one brings it about too"


def place_lines(
    function: str, line: int | None, style: Style, sources: Mapping[str, str], file_place: FilePlace | None
) -> list[str]:
    """The function that an error names with the line, as PostgreSQL counts, and that line where its body is known."""
    inside = f"{function} line {line}" if line else function
    place = f"  {style.paint('gutter', '-->')} {plain(in_file(file_place, inside))}"
    lines = sources.get(function, "").split("\n")
    if line is None or not 0 < line <= len(lines):
        return [place]
    shown, _ = excerpt(lines[line - 1].rstrip("\r"), 0, 1, max(40, style.width - 12))
    return [place, f"{style.paint('gutter', f'{line:>4} |')} {shown}"]


def hidden_text(
    errors: Iterable[HiddenError], style: Style, sources: Mapping[str, str], source_map: SourceMap | None
) -> str:
    """What failed without anybody's notice, by replays with the handlers open."""
    lines = []
    for error in errors:
        lines.append(style.paint("warning", f"hidden[{error.sqlstate}]") + f" {plain(error.message)}")
        file_place = source_map.of_line(error.function, error.line) if source_map else None
        lines += place_lines(error.function, error.line, style, sources, file_place)
        lines += told("   ", "trigger", error.trigger, style) if error.trigger else []
        handler = "an exception handler"
        if error.handler_line is not None:
            where = f"line {error.handler_line}"
            handler += f" at {where}" if error.handler == error.function else f" in {error.handler} {where}"
        lines += told("   ", "hidden by", f"{handler}; {error.flow} goes through all the same", style)
    return "\n".join(lines) + "\n"
