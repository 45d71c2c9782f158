"""One check for all tests of this folder."""

from __future__ import annotations

import pytest

from tests.report.results import ROOT, Results, made_results


@pytest.fixture(autouse=True)
def _at_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are told from the top of the repository."""
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return made_results(tmp_path_factory.mktemp("app"))
