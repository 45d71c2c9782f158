"""Cuts a database URL into its parts, also where the password was not percent-encoded."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from trigger_audit.database.parameters import is_known
from trigger_audit.errors import UsageError

_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_HOST = r"(?:\[[0-9A-Fa-f:.%]+[\w.-]*\]|[^\s\[\]:/@?#,&=]*)(?::\d*)?"
# hosts, database, query. A slash in the database name has to be encoded; in a query it may stand.
_TAIL = re.compile(rf"(?P<hosts>{_HOST}(?:,{_HOST})*)(?:/(?P<dbname>[^/?]*))?(?:\?(?P<query>.*))?", re.DOTALL)
_PAIR = re.compile(r"[A-Za-z_][\w.-]*=")
_HOST_AND_PORT = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>\d*))?")


@dataclass(frozen=True, slots=True)
class UrlParts:
    """The decoded parts of a URL. `raw_password` is the password as written; `encode` the characters of it that had
    to be percent-encoded and were not."""

    hosts: tuple[str, ...]
    ports: tuple[str, ...]
    user: str | None
    password: str | None = field(repr=False)
    raw_password: str | None = field(repr=False)
    dbname: str | None
    query: tuple[tuple[str, str], ...] = field(repr=False)
    encode: str


@dataclass(frozen=True, slots=True)
class _Cut:
    user: str | None
    password: str | None = field(repr=False)
    hosts: str
    dbname: str | None
    query: str | None = field(repr=False)
    sure: bool


def split_url(rest: str, *, plus_is_blank: bool = False) -> UrlParts:
    """The parts of what follows `scheme://`.

    A password may hold @ / ? # unencoded where one reading alone makes sense; else UsageError asks for percent-encoding
    and names the characters. `plus_is_blank`: JDBC's driver decodes a plus sign in the query as a blank.
    """
    cut = _cut(rest)
    specials = "".join(sorted({character for character in cut.password or "" if character in "@/?#"}))
    password = cut.password
    if password is not None:
        password, literal_percent = _decode_password(password, specials)
        if literal_percent:
            specials += "%"
    hosts, ports = _hosts(cut.hosts)
    return UrlParts(
        hosts=hosts,
        ports=ports,
        user=decode(cut.user, "user name") if cut.user else None,
        password=password,
        raw_password=cut.password,
        dbname=decode(cut.dbname, "database name") if cut.dbname else None,
        query=tuple(_pairs(cut.query or "", plus_is_blank=plus_is_blank)),
        encode=specials,
    )


def decode(text: str, what: str) -> str:
    """Percent-decoding as libpq does it. Raises UsageError that names the part, never its text."""
    if "%" in _ESCAPE.sub("", text):
        raise UsageError(f"the {what} in the database URL holds a % that is not followed by two hexadecimal digits",
                         "write %25 for a per cent sign")  # fmt: skip
    raw = unquote_to_bytes(text)
    if b"\0" in raw:
        raise UsageError(f"the {what} in the database URL holds %00, which PostgreSQL does not take")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"the {what} in the database URL is not UTF-8 once it is percent-decoded") from None


def _cut(rest: str) -> _Cut:
    """Each @ may be the one that ends the password. The reading by the standard wins if nothing speaks against it."""
    cuts = [cut for at in _separators(rest) if (cut := _cut_at(rest, at)) is not None]
    for cut in cuts:
        if cut.sure:
            return cut
    if len(cuts) == 1:
        return cuts[0]
    if cuts:
        found = "".join(character for character in "@/?#" if character in rest)
        raise UsageError(
            "the database URL can be read in more than one way, because of unencoded characters before its last @",
            f"percent-encode the password: {_encodings(found)}",
        )
    raise UsageError(
        "the database URL cannot be read: after scheme:// it needs user:password@host:port/database",
        "percent-encode special characters of the password (@ is %40, : is %3A, / is %2F, # is %23, ? is %3F)",
    )


def _separators(rest: str) -> list[int]:
    return [-1, *(match.start() for match in re.finditer("@", rest))]


def _cut_at(rest: str, at: int) -> _Cut | None:
    user: str | None = None
    password: str | None = None
    if at >= 0:
        user, colon, after = rest[:at].partition(":")
        if any(character in user for character in "/?#"):
            return None
        password = after if colon else None
    tail = _TAIL.fullmatch(rest, at + 1)
    if tail is None:
        return None
    hosts, dbname, query = tail["hosts"], tail["dbname"], tail["query"]
    known = all(is_known(pair.partition("=")[0]) for pair in (query or "").split("&") if pair)
    if "@" in (query or "") and not all(_PAIR.match(pair) for pair in (query or "").split("&") if pair):
        return None
    # Nothing after this @ looks like a second one, or it stands in the value of a parameter that drivers know.
    sure = "@" not in (dbname or "") and ("@" not in (query or "") or known)
    # A user name with @ is more likely a password that was cut.
    sure = sure and "@" not in (user or "") and (password is None or not any(c in password for c in "@/"))
    return _Cut(user, password, hosts, dbname, query, sure)


def _decode_password(raw: str, specials: str) -> tuple[str, bool]:
    escapes = len(_ESCAPE.findall(raw))
    if raw.count("%") == escapes:
        # Beside an unencoded @ or / nobody can tell whether %41 means an A. libpq takes ? and # as they are.
        if escapes and any(character in specials for character in "@/"):
            raise UsageError(
                "the password in the database URL is percent-encoded in part only",
                f"percent-encode all of it: {_encodings(specials + '%')}",
            )
        return decode(raw, "password"), False
    if escapes:
        raise UsageError(
            "the password in the database URL holds both percent-encoded characters and a bare %",
            f"percent-encode all of it: {_encodings(specials + '%')}",
        )
    return raw, True


def _encodings(characters: str) -> str:
    wanted = dict.fromkeys(characters) or dict.fromkeys("@/?#")
    return ", ".join(f"{character} is %{ord(character):02X}" for character in wanted)


def _hosts(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if not text:
        return (), ()
    hosts: list[str] = []
    ports: list[str] = []
    for part in text.split(","):
        found = _HOST_AND_PORT.fullmatch(part)
        host, port = (found["host"], found["port"] or "") if found else (part, "")
        if port and not 0 < int(port[:9]) < 65536:
            raise UsageError(f"the port {port[:9]} in the database URL is not between 1 and 65535")
        host = host[1:-1] if host.startswith("[") else host
        # An address with a zone may have its % as it is: fe80::1%eth0.
        hosts.append(host if ":" in host and "%" in _ESCAPE.sub("", host) else decode(host, "host"))
        ports.append(port)
    return tuple(hosts), tuple(ports) if any(ports) else ()


def _pairs(query: str, *, plus_is_blank: bool) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for pair in query.split("&"):
        if not pair:
            continue
        key, _, value = pair.partition("=")
        if plus_is_blank:
            value = value.replace("+", " ")
        pairs.append((decode(key, "name of a parameter"), decode(value, "value of a parameter")))
    return pairs
