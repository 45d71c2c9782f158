"""Takes passwords out of text: known ones in every spelling, and whatever stands where passwords stand."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "***"

# scheme://user:password@host. The password runs to the last @ before white space or a quote, for an unencoded one may
# hold @, / and #; a user name holds none of them.
_URL = re.compile(r"([a-z][a-z0-9+.-]*://[^\s:/@?#]*:)([^\s'\"<>]+)(@)", re.IGNORECASE)
# The keys that libpq and drivers use for secrets, as key=value, key='a value' or "key": "value".
_PAIR = re.compile(
    r"""((?:passw(?:or)?d|pwd|oauth_client_secret|scram_client_key|scram_server_key)(?:\s*=|["']\s*[=:])\s*)
        ('(?:[^'\\]|\\.)*'? | "(?:[^"\\]|\\.)*"? | [^\s&;,)\]}]+)""",
    re.IGNORECASE | re.VERBOSE,
)
# A shorter piece would blank out ordinary words.
_LEAST_FRAGMENT = 4
_SPECIAL = re.compile(r"[@/?#:%&=\s\\'\"]+")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` with each secret replaced by ***, also percent-encoded, with backslashes doubled, and in pieces.

    Pieces are what is left where a parser cut the secret at a special character: PostgreSQL's or libpq's own message
    then quotes the rest as a host, a port or a database name. Whatever stands as a password in a URL or in a key=value
    pair goes too, known or not.
    """
    for spelling in spellings(secrets):
        # A short one would blank out parts of words, and show itself by that.
        around = r"(?<![^\W_]){}(?![^\W_])" if len(spelling) < _LEAST_FRAGMENT else "{}"
        text = re.sub(around.format(re.escape(spelling)), MASK, text)
    text = _URL.sub(rf"\g<1>{MASK}\g<3>", text)
    return _PAIR.sub(rf"\g<1>{MASK}", text)


def spellings(secrets: Iterable[str]) -> list[str]:
    """Every form in which one of the secrets may stand in a text, the longest first."""
    forms: set[str] = set()
    for secret in secrets:
        if not secret:
            continue
        encoded = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
        forms |= {secret, *encoded, *(form.lower() for form in encoded if "%" in form)}
        forms |= {secret.replace("\\", "\\\\").replace("'", "\\'"), secret.replace("'", "''"), repr(secret)[1:-1]}
        pieces = _SPECIAL.split(secret)
        if len(pieces) > 1:
            forms |= {piece for piece in pieces if len(piece) >= _LEAST_FRAGMENT}
            # Between the first and the last special character lies what a parser takes for host and port.
            forms |= {secret[at.end() :] for at in _SPECIAL.finditer(secret) if len(secret) - at.end() >= 3}
            forms |= {secret[: at.start()] for at in _SPECIAL.finditer(secret) if at.start() >= _LEAST_FRAGMENT}
    return sorted(forms, key=lambda form: (-len(form), form))
