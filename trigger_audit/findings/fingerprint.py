"""The identity of a finding: it survives reformatting and moved lines, for baselines and alert systems."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trigger_audit.findings.model import Finding

_COMMENT_OR_SPACE = re.compile(r"--[^\n]*|/\*.*?\*/|\s+", re.DOTALL)
_QUOTED = re.compile(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")")


def normalised(statement: str) -> str:
    """A statement with comments dropped, white space folded, and letter case folded outside quotes."""
    pieces = _QUOTED.split(statement)
    folded = [piece if index % 2 else _COMMENT_OR_SPACE.sub(" ", piece).lower() for index, piece in enumerate(pieces)]
    return re.sub(r"\s*([(),;=])\s*", r"\1", "".join(folded)).strip()


def fingerprint(finding: Finding) -> str:
    """A hash of rule, object, function signature, cause and normalised statement: never of line, message or paths."""
    place = finding.place
    parts = (
        finding.rule,
        finding.object,
        place.function if place else "",
        finding.cause,
        normalised(place.statement) if place else "",
    )
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
