"""Every format of every kind of result, byte for byte; UPDATE_GOLDEN=1 writes them anew."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.report.results import ROOT, Results
from trigger_audit.report.formats import Format, render

pytestmark = pytest.mark.xdist_group("formats")

GOLDEN = ROOT / "tests" / "golden" / "formats"
ENDINGS = {
    Format.TABLE: "table.txt",
    Format.CONCISE: "concise.txt",
    Format.JSON: "json",
    Format.MARKDOWN: "md",
    Format.GITHUB: "github.txt",
    Format.SARIF: "sarif",
    Format.GITLAB: "gitlab.json",
    Format.JUNIT: "junit.xml",
}


def without_version(text: str) -> str:
    return re.sub(r'"version": "\d+\.\d+\.\d+"', '"version": "*"', text, count=1)


@pytest.mark.parametrize("format_", Format)
def test_each_kind_of_result_gives_the_golden_report(results: Results, format_: Format) -> None:
    wrong = []
    for kind, result in results.all().items():
        text = without_version(render(result, format_))
        assert text.endswith("\n") or text == ""
        assert render(result, format_) == render(result, format_)
        file = GOLDEN / f"{kind}.{ENDINGS[format_]}"
        if os.environ.get("UPDATE_GOLDEN"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        if text != Path(file).read_text(encoding="utf-8"):
            wrong.append(file.name)
    assert wrong == []
