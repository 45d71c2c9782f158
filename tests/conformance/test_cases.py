"""The projects of `tests.smoke.cases` with the real Auth on them: does it answer, mail and confirm as smoke said?

Each has a database of its own, for what triggers have written stays there. A flow that goes on with a user goes on with
one whom the project's triggers have seen come, unless smoke could not make one in the usual way.
"""

from __future__ import annotations

import pytest

from tests.conformance.acting import Stage
from tests.conformance.breaking import smoke
from tests.conformance.judging import SCENES, apply, difference, starts_otherwise, triggers_off
from tests.smoke.cases import CASES
from trigger_audit.auth import FLOWS
from trigger_audit.smoke.model import Payload


@pytest.mark.parametrize("case", CASES)
def test_auth_does_what_smoke_said(project: Stage, case: str) -> None:
    apply(project, CASES[case].sql)
    results = smoke(project.database, [flow.name for flow in FLOWS], (Payload.BARE, Payload.DUPLICATE))
    with triggers_off(project):
        scenes = {name: act(project) for name, act in SCENES.items() if starts_otherwise(results[name])}
    differences = []
    for name, act in SCENES.items():
        scene = scenes[name] if name in scenes else act(project)
        found = difference(project, name, scene, results)
        differences += [] if found is None else [found]
    assert differences == []
