"""Every format of a report, for every kind of result."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trigger_audit.check.model import CheckResult
    from trigger_audit.pipeline import ScanResult, SmokeResult
    from trigger_audit.report.table import Style

    Result = ScanResult | SmokeResult | CheckResult


class Format(StrEnum):
    TABLE = "table"
    CONCISE = "concise"
    JSON = "json"
    MARKDOWN = "markdown"
    GITHUB = "github"
    SARIF = "sarif"
    GITLAB = "gitlab"
    JUNIT = "junit"


def render(result: Result, format_: Format, style: Style | None = None) -> str:
    """The report as text, always with a final line break; `style` counts for the table alone. A file gets none.

    Whatever the database says, no line of it is a command to the CI job whose log it is printed to.
    """
    from trigger_audit.report.inert import inert_json, inert_text, inert_xml

    match format_:
        case Format.JSON:
            from trigger_audit.report.json import dumps

            return inert_json(dumps(document(result)))
        case Format.SARIF:
            from trigger_audit.report.sarif import sarif_log

            return inert_json(sarif_log(result))
        case Format.GITLAB:
            from trigger_audit.report.gitlab import code_quality

            return inert_json(code_quality(result))
        case Format.JUNIT:
            from trigger_audit.report.junit import junit_xml

            return inert_xml(junit_xml(result))
        case Format.GITHUB:
            from trigger_audit.report.github import workflow_commands

            return workflow_commands(result)
        case Format.MARKDOWN:
            from trigger_audit.report.markdown import comment

            return inert_text(comment(result))
        case Format.CONCISE:
            return inert_text(_concise(result))
        case Format.TABLE:
            return inert_text(_table(result, style))


def document(result: Result) -> dict[str, Any]:
    """The JSON contract of the command that gave the result."""
    from trigger_audit.pipeline import ScanResult, SmokeResult

    if isinstance(result, ScanResult):
        from trigger_audit.report.json import scan_document

        return scan_document(result)
    if isinstance(result, SmokeResult):
        from trigger_audit.report.smoke_json import smoke_document

        return smoke_document(result)
    from trigger_audit.report.check_json import check_document

    return check_document(result)


def _concise(result: Result) -> str:
    from trigger_audit.pipeline import ScanResult, SmokeResult
    from trigger_audit.report.concise import check_lines, scan_lines, smoke_lines

    if isinstance(result, ScanResult):
        return scan_lines(result)
    return smoke_lines(result) if isinstance(result, SmokeResult) else check_lines(result)


def _table(result: Result, style: Style | None) -> str:
    from trigger_audit.pipeline import ScanResult, SmokeResult
    from trigger_audit.report.table import Style, scan_text

    if isinstance(result, ScanResult):
        return scan_text(result, style or Style())
    if isinstance(result, SmokeResult):
        from trigger_audit.report.smoke_table import smoke_text

        return smoke_text(result, style or Style())
    from trigger_audit.report.check_table import check_text

    return check_text(result, style or Style())
