"""Options that say who signs up and with what, and their values read."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from trigger_audit.errors import UsageError

MetadataOption = Annotated[
    str | None,
    typer.Option("--metadata", metavar="JSON|@FILE", help="The app's own options.data of signUp: an object."),
]
EmailOption = Annotated[
    str | None,
    typer.Option("--email", metavar="ADDRESS", help="Sign up with this address, which no user may have yet."),
]
PayloadOption = Annotated[
    list[str] | None,
    typer.Option(
        "--payload", metavar="PAYLOAD", help="Only these metadata: bare, full, google, given ...; repeatable."
    ),
]

_MOST = 1_000_000
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_metadata(text: str | None) -> dict[str, object] | None:
    """The object that `--metadata` gives as JSON, or names a file of with `@`. UsageError for everything else.

    Refused is, besides what is no JSON object, what no client can send or PostgreSQL cannot hold, so that a failure
    would say nothing of the project: numbers without a finite value, halves of surrogate pairs, the character NUL.
    """
    if text is None:
        return None
    if text.startswith("@"):
        text = _read_file(text[1:])
    if len(text) > _MOST:
        raise UsageError(f"--metadata: {len(text)} characters are more than an app sends (at most {_MOST})")
    try:
        document = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UsageError(f"--metadata is no JSON: {error.msg} at {where}", _EXAMPLE) from None
    except ValueError as error:
        raise UsageError(f"--metadata: {error}") from None
    except RecursionError:
        raise UsageError("--metadata is nested too deeply") from None
    if not isinstance(document, dict):
        raise UsageError("--metadata must be a JSON object", _EXAMPLE)
    try:
        texts = json.dumps(document, ensure_ascii=False)
    except RecursionError:
        raise UsageError("--metadata is nested too deeply") from None
    if _SURROGATE.search(texts) or _has_nul(document):
        raise UsageError("--metadata holds a character that PostgreSQL takes in no text (NUL or half a surrogate pair)")
    return document


_EXAMPLE = """for example --metadata '{"full_name": "Ada Lovelace"}', or --metadata @options-data.json"""


def _read_file(name: str) -> str:
    try:
        with Path(name).open("rb") as file:
            content = file.read(4 * _MOST + 1)
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"--metadata: {name!r} is not UTF-8") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"--metadata: cannot read {name!r}: {reason}") from None


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _has_nul(value: object) -> bool:
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(inner) for key, inner in value.items())
    if isinstance(value, list):
        return any(_has_nul(inner) for inner in value)
    return isinstance(value, str) and "\0" in value


def read_email(text: str | None) -> str | None:
    """The address as Auth keeps it: in lower case. UsageError where it is none at all."""
    if text is None:
        return None
    local, at, domain = text.strip().partition("@")
    if not local or not at or not domain or "@" in domain or re.search(r"[\s\x00-\x1f\x7f]", local + domain):
        raise UsageError(f"--email: {text!r} is no address")
    if _SURROGATE.search(text) or len(text) > 255:  # the column is varchar(255)
        raise UsageError("--email: no address that Auth could keep")
    return f"{local}@{domain}".lower()


def read_payloads(names: tuple[str, ...], given: object) -> tuple[str, ...]:
    """The payloads by name, each once. UsageError for an unknown one, and for `given` without `--metadata`."""
    if not names:
        return ()
    from trigger_audit.smoke.payloads import payload_named

    payloads = tuple(dict.fromkeys(payload_named(name).value for name in names))
    if "given" in payloads and given is None:
        raise UsageError("--payload given needs --metadata", _EXAMPLE)
    return payloads
