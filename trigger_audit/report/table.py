"""The default text of a scan, as a good compiler would say it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigger_audit.findings.model import Severity
from trigger_audit.report.excerpt import excerpt
from trigger_audit.report.json import cascade_triggers, functions_reached
from trigger_audit.visible import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trigger_audit.findings.baseline import Entry
    from trigger_audit.findings.model import FilePlace, Finding, NotAnalysed
    from trigger_audit.pipeline import ScanResult

_COLOURS = {"error": "1;31", "warning": "1;33", "info": "1;36", "gutter": "1;34", "good": "1;32", "strong": "1"}


@dataclass(frozen=True, slots=True)
class Style:
    """How to print: with colour or without, and how wide a paragraph may be.

    `terminal` is the number of a terminal's columns. What is a line of its own stays one in a file or a pipe (None); on
    a terminal it is wrapped.
    """

    colour: bool = False
    width: int = 100
    terminal: int | None = None

    def paint(self, kind: str, text: str) -> str:
        return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if self.colour else text

    def line(self, label: str, kind: str | None, text: str, indent: int = 2) -> str:
        """`label text` with the label painted, the text made safe, and continuation lines indented by blanks."""
        shown = plain(text)
        if self.terminal is not None:
            # The label stands for its columns alone, so that its colour does not count.
            filled = textwrap.wrap(
                "x" * len(label) + shown,
                self.width,
                subsequent_indent=" " * indent,
                break_long_words=False,
                break_on_hyphens=False,
            )
            shown = "\n".join(filled)[len(label) :]
        return (self.paint(kind, label) if kind else label) + shown + "\n"


def scan_text(result: ScanResult, style: Style) -> str:
    """Each finding that counts, what was not analysed, what of the baseline is gone, and one closing line."""
    blocks = [finding_text(finding, style) for finding in result.findings if finding.counts]
    if result.unexplained:
        from trigger_audit.report.unexplained import unexplained_words

        blocks.append(style.line("not explained", "error", f": {unexplained_words(result.unexplained)}"))
    if result.not_analysed:
        blocks.append(not_analysed_text(result.not_analysed, style))
    if result.settled.stale:
        blocks.append(stale_text(result.settled.stale, style))
    blocks.append(closing_line(result, style))
    return "\n".join(blocks)


def not_analysed_text(items: Iterable[NotAnalysed], style: Style) -> str:
    """What could not be looked at, and why; one line each."""
    lines = [style.line("  ", None, f"{item_place(item)}: {item.reason}", indent=6) for item in items]
    return style.paint("strong", "not analysed:") + "\n" + "".join(lines)


def item_place(item: NotAnalysed) -> str:
    """`1.sql:12:5` for a statement of a file, `1.sql:12:5 (public.f() line 7)`; without a file `public.f() line 7`."""
    if item.file_place is not None and item.file_place.file == item.object:
        return in_file(item.file_place, "")
    return in_file(item.file_place, item.object if item.line is None else f"{item.object} line {item.line}")


def stale_text(entries: Iterable[Entry], style: Style) -> str:
    """What the baseline holds and the scan did not find any more; one line each."""
    lines = [style.paint("strong", "in the baseline, and gone:") + "\n"]
    lines += [style.line("  ", None, stale_line(entry), indent=6) for entry in entries]
    return "".join(lines)


def stale_line(entry: Entry) -> str:
    """`TA106 public.f(): what it says (twice)`."""
    often = "" if entry.count == 1 else f" ({entry.count} times)"
    return f"{entry.rule} {entry.object}: {entry.message}{often}"


def finding_text(finding: Finding, style: Style) -> str:
    """Code and fact, the source line with a caret, why it matters, what to do, and the way there."""
    kind = finding.severity.value
    head = style.paint(kind, f"{kind}[{finding.rule}]") + style.paint("strong", f" {plain(finding.message)}")
    place = finding.place
    number = str(place.line) if place is not None else ""
    pad = " " * max(3, len(number) + 1)
    lines = [head, f"{pad[:-1]}{style.paint('gutter', '-->')} {plain(head_place(finding))}"]
    if place is not None and place.statement:
        bar = style.paint("gutter", "|")
        end = place.end_column - 1 if place.end_line == place.line else len(place.source_line)
        source, carets = excerpt(place.source_line, place.column - 1, end, max(40, style.width - len(pad) - 4))
        lines.append(f"{pad}{bar}")
        lines.append(f"{style.paint('gutter', number.rjust(len(pad) - 1))} {bar} {source}")
        lines.append(f"{pad}{bar} {style.paint(kind, carets)}")
    lines += told(pad, "why", finding.why, style)
    lines += told(pad, "fix", finding.fix, style)
    lines += ways(finding, pad, style)
    if finding.observed_in:
        lines += told(pad, "proof", observed(finding), style)
    return "\n".join(lines) + "\n"


def head_place(finding: Finding) -> str:
    """`supabase/migrations/1.sql:12:5 (public.f() line 7)`; without a file `public.f() line 7, column 5`."""
    place = finding.place
    if place is None:
        return in_file(finding.file_place, finding.object)
    inside = f"{place.function} line {place.line}"
    return in_file(finding.file_place, inside) if finding.file_place else f"{inside}, column {place.column}"


def in_file(place: FilePlace | None, inside: str) -> str:
    """The place in the file with what is there in brackets; only that where there is no file."""
    if place is None:
        return inside
    return f"{place} ({inside})" if inside else str(place)


def told(pad: str, label: str, text: str, style: Style) -> list[str]:
    """A labelled paragraph, wrapped."""
    head = f"{pad}{style.paint('gutter', '=')} {style.paint('strong', label + ':')} "
    indent = " " * (len(pad) + len(label) + 4)
    wrapped = textwrap.wrap(plain(text), max(40, style.width - len(indent)), break_long_words=False) or [""]
    return [head + wrapped[0], *(indent + line for line in wrapped[1:])]


def ways(finding: Finding, pad: str, style: Style) -> list[str]:
    """How the cascade gets there: each way with its events, at most four."""
    lines: list[str] = []
    for path in finding.paths[:4]:
        steps = " -> ".join(path.via) or path.table
        lines += told(pad, "way", f"{path.table} {'/'.join(path.events)}: {steps}", style)
    if len(finding.paths) > 4:
        lines += told(pad, "way", f"and {len(finding.paths) - 4} more", style)
    return lines


def observed(finding: Finding) -> str:
    """`observed in signup-email (bare, full)`: at most four flows."""
    flows = finding.observed_in
    return "observed in " + ", ".join(flows[:4]) + (f" and {count(len(flows) - 4, 'more flow')}" if flows[4:] else "")


def closing_line(result: ScanResult, style: Style) -> str:
    """Findings, what does not count of them, triggers, functions, not analysed, time."""
    counts = {severity: result.count(severity) for severity in Severity}
    found = counted(counts)
    kind = next((severity.value for severity, number in counts.items() if number), "good")
    triggers, functions = len(cascade_triggers(result)), len(functions_reached(result))
    return (
        f"{style.paint(kind, found)}{not_counted(result.findings)} in {count(triggers, 'trigger')} and "
        f"{count(functions, 'function')}; "
        f"{len(result.not_analysed)} not analysed; PostgreSQL {result.target.server_version}; {result.seconds:.2f} s\n"
    )


def not_counted(findings: Iterable[Finding]) -> str:
    """` (2 suppressed, 3 in the baseline)`, '' where all count."""
    left = [finding.suppressed is not None for finding in findings if not finding.counts]
    numbers = {"suppressed": sum(left), "in the baseline": len(left) - sum(left)}
    told = ", ".join(f"{number} {what}" for what, number in numbers.items() if number)
    return f" ({told})" if told else ""


def counted(counts: Mapping[Severity, int]) -> str:
    """`2 errors, 1 warning`; `no findings`."""
    return ", ".join(count(number, severity.value) for severity, number in counts.items() if number) or "no findings"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
