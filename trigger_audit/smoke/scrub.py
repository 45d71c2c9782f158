"""Random values out of what is reported: two runs on the same database tell the same, and no stranger's id is shown."""

from __future__ import annotations

import re
from dataclasses import replace

from trigger_audit.smoke.model import Change, FailedStep

_RANDOM = (
    (re.compile(r"(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:[+-]\d\d(?::\d\d)?|Z)?"), "<time>"),
    (re.compile(r"(?i)\b(trigger-audit)-[0-9a-f]{16}"), r"\1-<random>"),
    (re.compile(r"\bpg_temp_\d+\.trigger_audit_[0-9a-f]{16}"), "pg_temp.trigger_audit_<random>"),
    (re.compile(r"\b999\d{12}\b"), "<phone>"),
    (re.compile(r"\$2a\$10\$[0-9a-f]+"), "<password hash>"),
    (re.compile(r"\b(?:pkce_)?[0-9a-f]{56,64}\b"), "<token>"),
)


def scrubbed(text: str) -> str:
    """The text with identifiers, tokens, addresses and times of the run replaced by their kind."""
    for pattern, kind in _RANDOM:
        text = pattern.sub(kind, text)
    return text


def scrubbed_step(step: FailedStep) -> FailedStep:
    return replace(
        step,
        message=scrubbed(step.message),
        detail=None if step.detail is None else scrubbed(step.detail),
        hint=None if step.hint is None else scrubbed(step.hint),
        context=None if step.context is None else scrubbed(step.context),
    )


def scrubbed_change(change: Change) -> Change:
    return Change(change.what, scrubbed(change.expected), scrubbed(change.found))
