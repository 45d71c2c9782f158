"""The projects of `tests.smoke.cases` with the real Auth on them: does it answer, mail and confirm as smoke said?

Each has a database of its own, for what triggers have written stays there.
"""

from __future__ import annotations

import pytest

from tests.conformance.acting import Stage
from tests.conformance.breaking import smoke
from tests.conformance.judging import SCENES, apply, difference, set_scene
from tests.smoke.cases import CASES
from trigger_audit.auth import FLOWS
from trigger_audit.smoke.model import Payload


@pytest.mark.parametrize("case", CASES)
def test_auth_does_what_smoke_said(project: Stage, case: str) -> None:
    apply(project, CASES[case].sql)
    results = smoke(project.database, [flow.name for flow in FLOWS], (Payload.BARE, Payload.DUPLICATE))
    found = (difference(project, name, set_scene(project, name, results[name]), results) for name in SCENES)
    assert [text for text in found if text is not None] == []
