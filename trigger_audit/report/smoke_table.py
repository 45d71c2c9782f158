"""The default text of a smoke run: a table of the flows, then what broke each failing one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from trigger_audit.report.culprits import culprit_lines, hidden_text, place_lines
from trigger_audit.report.table import Style, count, in_file, not_analysed_text, told
from trigger_audit.smoke.model import STATEMENTS, Mail, Outcome
from trigger_audit.visible import plain

if TYPE_CHECKING:
    from trigger_audit.check.source_map import SourceMap
    from trigger_audit.pipeline import SmokeResult
    from trigger_audit.smoke.model import Escalation, FailedStep, FlowResult

_COLOUR = {Outcome.PASS: "good", Outcome.FAIL: "error", Outcome.ALTERED: "warning", Outcome.SKIPPED: "info"}
# A failure that the app means.
_MET = "info"
_MAIL = {
    Mail.NONE: "-",
    Mail.NOT_SENT: "not sent",
    Mail.SENT: "sent",
    Mail.SENT_TOKEN_LOST: "sent, its token is lost",
    Mail.SKIPPED: "never sent",
}

_HEADERS = ("flow", "payloads", "outcome", "the app user sees", "mail", "cause")
_WRAPPED = ("payloads", "the app user sees", "mail", "cause")
# Beyond this a word is broken, or a name without a blank would keep the table from ever fitting.
_LONG_WORD = 30

# Source text of a function by its signature, for the line that failed.
Sources = Mapping[str, str]


def smoke_text(result: SmokeResult, style: Style) -> str:
    """The table, the failures (one for each cause, with the flows it breaks), and one closing line."""
    report = result.report
    blocks = [flow_table(flows, style)] if (flows := [flow for flow in report.flows if is_auths(flow)]) else []
    blocks += [
        failure_text(step, flows, style, result.sources, result.source_map) for step, flows in by_failure(report.flows)
    ]
    blocks += [altered_text(flows, style) for flows in by_change(report.flows)]
    if report.hidden_errors:
        blocks.append(hidden_text(report.hidden_errors, style, result.sources, result.source_map))
    notes = unexpected_text(report.flows, style) + skipped_text(report.flows, style)
    if notes:
        blocks.append("".join(notes))
    if report.session.gaps:
        blocks.append("".join(style.line("note: ", None, gap) for gap in report.session.gaps))
    if result.not_analysed:
        blocks.append(not_analysed_text(result.not_analysed, style))
    blocks.append(closing_line(result, style))
    return "\n".join(blocks)


def is_auths(flow: FlowResult) -> bool:
    """Whether it is one of Auth's, with an answer and perhaps a mail; the user's own statements have neither."""
    return flow.flow != STATEMENTS


def flow_table(flows: Iterable[FlowResult], style: Style) -> str:
    """Per flow: outcome, what the app user sees, whether the mail would have left.

    Payloads that fare alike share a row.
    """
    from tabulate import tabulate

    rows: dict[tuple[str, ...], list[FlowResult]] = {}
    for flow in flows:
        key = (
            flow.flow + (" (latent)" if flow.latent else ""),
            outcome_words(flow),
            plain(user_sees(flow)),
            _MAIL[flow.mail],
            plain(step_cause(flow.failed_step)) if flow.failed_step else "",
        )
        rows.setdefault(key, []).append(flow)
    cells = [(name, ", ".join(flow.payload.value for flow in alike), *rest) for (name, *rest), alike in rows.items()]
    # Colour is no part of a cell's width.
    widths = column_widths(cells, style.terminal) if style.terminal is not None else None
    kinds = [_MET if alike[0].as_expected else _COLOUR[alike[0].outcome] for alike in rows.values()]
    painted = [(*row[:2], style.paint(kind, row[2]), *row[3:]) for kind, row in zip(kinds, cells, strict=True)]
    return tabulate(painted, headers=_HEADERS, disable_numparse=True, maxcolwidths=widths) + "\n"


def column_widths(cells: Iterable[tuple[str, ...]], width: int) -> list[int | None]:
    """How wide a column may be, for a table of `width`: None where it needs no wrapping.

    The one that is widest beyond its longest word gives way first.
    """
    columns = list(zip(_HEADERS, *cells, strict=True))
    natural = [max(map(len, column)) for column in columns]
    wrapped = {at: natural[at] for at, header in enumerate(_HEADERS) if header in _WRAPPED}
    floor = {at: max(len(_HEADERS[at]), min(_LONG_WORD, longest_word(columns[at]))) for at in wrapped}
    spare = width - sum(natural) - 2 * (len(_HEADERS) - 1)
    while spare < 0:
        widest = max(wrapped, key=lambda at: wrapped[at] - floor[at])
        if wrapped[widest] <= floor[widest]:
            break
        wrapped[widest] -= 1
        spare += 1
    return [limit if (limit := wrapped.get(at)) != size else None for at, size in enumerate(natural)]


def outcome_words(flow: FlowResult) -> str:
    """`fail`; `fail, as expected`; `pass, not as expected`."""
    words = {None: "", True: ", as expected", False: ", not as expected"}
    return flow.outcome.value + words[flow.as_expected]


def longest_word(cells: Iterable[str]) -> int:
    return max(len(word) for cell in cells for word in cell.split())


def user_sees(flow: FlowResult) -> str:
    if flow.response is None:
        return ""
    if flow.outcome is Outcome.PASS:
        return "ok"
    return f"{flow.response.status} {flow.response.message}".strip()


def step_cause(step: FailedStep) -> str:
    if step.function:
        name = step.function.partition("(")[0].rpartition(".")[2]
        return f"{step.sqlstate} {name}:{step.line}" if step.line else f"{step.sqlstate} {name}"
    return " ".join(part for part in (step.sqlstate or "refused by Auth", step.constraint) if part)


def by_failure(flows: Iterable[FlowResult]) -> list[tuple[FailedStep, list[FlowResult]]]:
    """Failing flows grouped by what broke them: SQLSTATE, function and line, or constraint."""
    grouped: dict[tuple[object, ...], tuple[FailedStep, list[FlowResult]]] = {}
    for flow in flows:
        step = flow.failed_step
        if step is None:
            continue
        place = (step.function, step.line) if step.function else (step.statement, step.message)
        key = (step.sqlstate, *place, step.constraint)
        grouped.setdefault(key, (step, []))[1].append(flow)
    return list(grouped.values())


def failure_text(
    step: FailedStep, flows: list[FlowResult], style: Style, sources: Sources, source_map: SourceMap | None = None
) -> str:
    """What the server said, where, the source line, and which flows it breaks."""
    state = f"[{step.sqlstate}]" if step.sqlstate else ""
    kind = "error" if any(not flow.latent and not flow.as_expected for flow in flows) else "warning"
    if all(flow.as_expected for flow in flows):
        kind = _MET
    lines = [style.paint(kind, f"fail{state}") + f" {plain(step.message)}"]
    file_place = source_map.of_step(step) if source_map else None
    if step.function:
        lines += place_lines(step.function, step.line, style, sources, file_place)
    elif file_place is not None:
        lines.append(f"  {style.paint('gutter', '-->')} {plain(in_file(file_place, step.constraint or ''))}")
    pad = "   "
    if step.detail:
        lines += told(pad, "detail", step.detail, style)
    if step.hint:
        lines += told(pad, "hint", step.hint, style)
    auths = [flow for flow in flows if is_auths(flow)]
    lines += told(pad, "statement", f"{'step ' if auths else ''}{step.index}: {step.statement}", style)
    lines += culprit_lines(flows, pad, style)
    if auths:
        lines += told(pad, "breaks", listed(auths), style)
    lines += over_http(pad, auths, style)
    return "\n".join(lines) + "\n"


def over_http(pad: str, flows: list[FlowResult], style: Style) -> list[str]:
    """The request that shows the cause without a look at the server's log; the flows where only some have one."""
    showing = [flow for flow in flows if flow.without_header is not None]
    if not showing or showing[0].without_header is None:
        return []
    answer = showing[0].without_header
    which = "" if len(showing) == len(flows) else f" of {listed(showing)}"
    body = json.dumps({"code": answer.error_code, "message": answer.message}, ensure_ascii=False)
    text = f"without the header X-Supabase-Api-Version the same request{which} answers {answer.status} {body}"
    return told(pad, "over HTTP", text, style)


def listed(flows: Iterable[FlowResult]) -> str:
    """`signup-email (bare, full), login (bare)`."""
    payloads: dict[str, list[str]] = {}
    for flow in flows:
        payloads.setdefault(flow.flow, []).append(flow.payload.value)
    return ", ".join(f"{flow} ({', '.join(names)})" if flow != STATEMENTS else flow for flow, names in payloads.items())


def by_change(flows: Iterable[FlowResult]) -> list[list[FlowResult]]:
    """Flows that leave something else than Auth wrote, those with all the same to tell together."""
    grouped: dict[tuple[object, ...], list[FlowResult]] = {}
    for flow in flows:
        if flow.changes or flow.escalations:
            grouped.setdefault((flow.flow, flow.changes, flow.escalations, flow.culprits), []).append(flow)
    return list(grouped.values())


def altered_text(flows: list[FlowResult], style: Style) -> str:
    """What is not as Auth wrote it, and what the client got by asking for it; the same in all these flows."""
    lines = [style.paint("warning", "altered") + f" {listed(flows)}"]
    for change in flows[0].changes:
        lines += told("   ", change.what, f"expected {change.expected}, found {change.found}", style)
    for escalation in flows[0].escalations:
        lines += told("   ", "escalation", escalation_words(escalation), style)
    lines += culprit_lines(flows, "   ", style)
    return "\n".join(lines) + "\n"


def escalation_words(escalation: Escalation) -> str:
    return f"{escalation.table}.{escalation.column} = {escalation.value}, taken from the client's metadata"


def skipped_text(flows: Iterable[FlowResult], style: Style) -> list[str]:
    """Why flows gave no verdict, or started from another user than they should; one line a reason."""
    reasons: dict[tuple[bool, str], list[FlowResult]] = {}
    for flow in flows:
        if flow.reason:
            reasons.setdefault((flow.outcome is Outcome.SKIPPED, flow.reason), []).append(flow)
    return [
        style.line("skipped" if skipped else "note", "info", f" {listed(found)}: {reason}")
        for (skipped, reason), found in reasons.items()
    ]


def unexpected_text(flows: Iterable[FlowResult], style: Style) -> list[str]:
    """What was expected and did not happen; one line for each outcome."""
    found: dict[tuple[str, str], list[FlowResult]] = {}
    for flow in flows:
        if flow.as_expected is False:
            state = f":{flow.failed_step.sqlstate}" if flow.failed_step and flow.failed_step.sqlstate else ""
            found.setdefault((str(flow.expected), f"{flow.outcome.value}{state}"), []).append(flow)
    return [
        style.line("not as expected", "error", f" {listed(other)}: {outcome} instead of {expected}")
        for (expected, outcome), other in found.items()
    ]


def closing_line(result: SmokeResult, style: Style) -> str:
    """Outcomes, what was not analysed, who ran them, and that nothing is left."""
    report = result.report
    summary = report.summary
    met = sum(flow.as_expected is True for flow in report.flows)
    words = {Outcome.FAIL: f", {met} of them as expected" if met else ""}
    counted = ", ".join(
        f"{summary[outcome.value]} {outcome.value}{words.get(outcome, '')}"
        for outcome in Outcome
        if summary[outcome.value]
    )
    worst = next(
        (
            outcome
            for outcome in (Outcome.FAIL, Outcome.ALTERED, Outcome.SKIPPED)
            if any(flow.outcome is outcome and not flow.latent and not flow.as_expected for flow in report.flows)
        ),
        Outcome.PASS,
    )
    if any(flow.as_expected is False for flow in report.flows):
        worst = Outcome.FAIL
    latent = f" ({summary['latent']} latent)" if summary["latent"] else ""
    # The others were applied, and hosted Supabase would refuse them.
    unapplied = sum(item.reason.startswith("not applied: ") for item in result.not_analysed)
    refused = len(result.not_analysed) - unapplied
    missing = f"; {count(unapplied, 'statement')} not applied" if unapplied else ""
    missing += f"; {count(refused, 'statement')} that hosted Supabase refuses" if refused else ""
    why = f" ({plain(report.not_verified)})" if report.not_verified else ""
    left = "rolled back, nothing left" if report.rolled_back else f"NOT VERIFIED that nothing is left{why}"
    by = f"as {plain(report.session.role)} ({report.session.by.value})"
    locked = plain(", ".join(report.locked))
    lock = f"; strongest lock on {locked}: {report.strongest_lock}" if report.strongest_lock else ""
    return f"{style.paint(_COLOUR[worst], counted or 'no flows')}{latent}{missing}; {by}{lock}; {left}\n"
