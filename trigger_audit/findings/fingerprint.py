"""The identity of a finding: it survives reformatting and moved lines, for baselines and alert systems."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from trigger_audit.plpgsql.lexer import Token, identifier, tokenise
from trigger_audit.plpgsql.tree import SyntaxProblem

if TYPE_CHECKING:
    from trigger_audit.findings.model import Finding

_NEEDS_NO_QUOTES = re.compile(r"[a-z_][a-z0-9_$]*")
_DOLLAR_QUOTED = re.compile(r"\$\w*\$")
_LINE_BREAK = re.compile(r"\s*\n\s*")


def normalised(statement: str) -> str:
    """A statement's tokens, one blank between them, as PostgreSQL tells them apart.

    Comments are dropped, names folded to what they mean (`"users"` is users, `Users` too). Strings are their content,
    however quoted; the indentation in those of several lines does not count, as a command of EXECUTE is often written
    so. What cannot be split into tokens keeps its words as they are.
    """
    try:
        tokens, _ = tokenise(statement)
    except SyntaxProblem:
        return " ".join(statement.split())
    return " ".join(_meant(token) for token in tokens[:-1])


def fingerprint(finding: Finding) -> str:
    """A hash of rule, object, function signature, cause and normalised statement: never of line, message or paths."""
    place = finding.place
    return digest(
        finding.rule,
        finding.object,
        place.function if place else "",
        finding.cause,
        normalised(place.statement) if place else "",
    )


def digest(*parts: str) -> str:
    """The hash of the parts in their order: 32 hexadecimal digits."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _meant(token: Token) -> str:
    if token.kind == "string":
        return _string(token.text)
    if token.kind == "quoted" and token.text.startswith('"') and _NEEDS_NO_QUOTES.fullmatch(identifier(token)):
        return identifier(token)
    return token.word


def _string(text: str) -> str:
    if (dollars := _DOLLAR_QUOTED.match(text)) is not None:
        content = text[dollars.end() : -dollars.end()]
    elif text.startswith("'") or (text[0] in "eE" and "\\" not in text):
        content = text[text.index("'") + 1 : -1].replace("''", "'")
    else:
        return text  # with escapes, and b'', x'', n'' and U&''
    return f"'{_LINE_BREAK.sub(' ', content).strip() if chr(10) in content else content}'"
