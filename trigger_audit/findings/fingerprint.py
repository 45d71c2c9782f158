"""The identity of a finding: it survives reformatting and moved lines, for baselines and alert systems."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trigger_audit.findings.model import Finding

_TOKEN = re.compile(
    r"""(?P<gap>--[^\n]*|/\*.*?\*/|\s+)"""
    r"""|(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)|\w+|.""",
    re.DOTALL,
)


def normalised(statement: str) -> str:
    """A statement's tokens, one blank between them: comments dropped, letter case folded outside quotes."""
    return " ".join(
        token[0] if token["quoted"] else token[0].lower() for token in _TOKEN.finditer(statement) if not token["gap"]
    )


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
