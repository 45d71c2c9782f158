"""What names a database: URLs of PostgreSQL and of frameworks, and libpq's key=value strings."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from trigger_audit.database.parameters import SECRET, is_known, translate
from trigger_audit.database.url import split_url
from trigger_audit.errors import UsageError

# Rails, Django and Laravel have names of their own for PostgreSQL.
_POSTGRES = frozenset({"postgresql", "postgres", "pgsql", "postgis"})
_SCHEME = re.compile(
    r"(?P<jdbc>jdbc:)?(?P<scheme>[A-Za-z][A-Za-z0-9.-]*)(?:\+(?P<driver>[\w+.-]+))?://(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_JDBC_SHORT = re.compile(r"jdbc:postgres(?:ql)?:(?P<dbname>[^/?][^?]*)?(?:\?(?P<query>.*))?", re.IGNORECASE | re.DOTALL)
_NEARLY_URL = re.compile(r"(?:jdbc:)?(?:postgres|postgre|pgsql|psql)[a-z]*(?:\+\w+)?(?::|//)", re.IGNORECASE)
_KEY = re.compile(r"\s*(?P<key>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*")
_PLACEHOLDER = re.compile(
    # A whole part of the URL or of its host, so that no piece of a real password is ever taken for one, and shown.
    r"(?<![^:/@.=&-])(?:\[[A-Z]*(?:YOUR|PASSWORD|PROJECT|REF|REGION|HOST|USER)[A-Z _-]*\]"
    r"|<(?:your|db|database|project|password|ref|region|host|user)[a-z _-]*>)(?![^@:/.?&-])",
    re.IGNORECASE,
)
_WHOLE_PASSWORD = re.compile(r"your[-_ ]?(?:\w+[-_ ])?password", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dsn:
    """A database to connect to. What is secret stays out of every repr.

    `parameters` are libpq's, without the secret ones; `notes` tell what was dropped or read leniently.
    `written` is the password as it stood in the URL, so that it can be found in other people's messages.
    """

    parameters: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    written: tuple[str, ...] = field(default=(), repr=False)

    def conninfo(self) -> dict[str, str]:
        """The arguments for `psycopg.connect`, with the password: never to be printed."""
        return {**self.parameters, **self.secrets}

    @property
    def password(self) -> str | None:
        return self.secrets.get("password")

    @property
    def host(self) -> str:
        """The host, socket folder or service; several are joined by commas."""
        for keyword in ("host", "hostaddr"):
            if self.parameters.get(keyword):
                return self.parameters[keyword]
        if self.parameters.get("service"):
            return f"service {self.parameters['service']}"
        return os.environ.get("PGHOST") or os.environ.get("PGHOSTADDR") or "localhost"

    @property
    def port(self) -> str:
        return self.parameters.get("port") or os.environ.get("PGPORT") or "5432"

    @property
    def user(self) -> str | None:
        """The login role as far as it was given; libpq takes the operating system's user otherwise."""
        return self.parameters.get("user") or os.environ.get("PGUSER") or None

    @property
    def database(self) -> str | None:
        """The database as far as it was given; libpq takes the user's name otherwise."""
        return self.parameters.get("dbname") or os.environ.get("PGDATABASE") or self.user

    @property
    def name(self) -> str:
        """`host/database`, for reports."""
        return f"{self.host}/{self.database}" if self.database else self.host

    @property
    def login(self) -> str:
        """`user@host:port/database`, for the eye."""
        user = f"{self.user}@" if self.user else ""
        return f"{user}{self.place}" + (f"/{self.database}" if self.database else "")

    @property
    def place(self) -> str:
        """`host:port`, of each host; a socket folder or a service stands alone."""
        hosts, ports = self.host.split(","), self.port.split(",")
        # One port counts for all hosts, as in libpq.
        ports = ports if len(ports) == len(hosts) else ports[:1] * len(hosts)
        return ",".join(_place(host, port or "5432") for host, port in zip(hosts, ports, strict=True))

    def secret_texts(self) -> tuple[str, ...]:
        """All that must not be shown: the secrets, the password as it was written, and the one of the environment.

        A password that is also the name of the role or the database, as in a local Supabase project, hides nothing.
        """
        texts = (*self.secrets.values(), *self.written, os.environ.get("PGPASSWORD", ""))
        open_names = {"", self.user, self.database, self.host}
        return tuple(dict.fromkeys(text for text in texts if text not in open_names))


def _place(host: str, port: str) -> str:
    if host.startswith(("/", "service ")):
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def looks_like_dsn(text: str) -> bool:
    """Whether the text is meant as a database rather than as a path, well-formed or not."""
    text = _unquoted(text)
    if "://" in text or _NEARLY_URL.match(text):
        return True
    key = _KEY.match(text)
    return key is not None and is_known(key["key"])


def parse_dsn(text: str) -> Dsn:
    """Reads a URL (postgresql://, with an SQLAlchemy driver, jdbc:, Prisma's parameters) or a libpq conninfo.

    Raises UsageError, one line without any of the text that could be a password.
    """
    stripped = _unquoted(text)
    if not stripped:
        raise UsageError("the database URL is empty", "is the variable that it comes from set?")
    if any(character in stripped for character in "\n\r\0"):
        raise UsageError("the database URL holds a line break or a NUL character", "give it as one line")
    if (url := _SCHEME.fullmatch(stripped)) is not None:
        _refuse_foreign(url["scheme"].lower(), (url["driver"] or "").lower())
        return _from_url(url["rest"], jdbc=url["jdbc"] is not None)
    if (short := _JDBC_SHORT.fullmatch(stripped)) is not None:
        query = f"?{short['query']}" if short["query"] else ""
        return _from_url(f"localhost/{short['dbname'] or ''}{query}", jdbc=True)
    if (key := _KEY.match(stripped)) is not None and is_known(key["key"]):
        return _from_conninfo(stripped)
    if "://" in stripped or _NEARLY_URL.match(stripped):
        raise UsageError("the database URL is mistyped at its beginning", "it starts with postgresql://")
    raise UsageError(
        "this is neither a database URL nor a libpq connection string",
        "write postgresql://user:password@host:5432/database",
    )


def _unquoted(text: str) -> str:
    """Without the quotes that an .env file, read line by line, leaves around a value."""
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"`":
        text = text[1:-1].strip()
    return text


def _refuse_foreign(scheme: str, driver: str) -> None:
    if scheme == "prisma":
        raise UsageError(
            "a prisma:// URL leads to Prisma's own proxy, not to PostgreSQL",
            "give the database's own URL (often DIRECT_URL)",
        )
    if scheme not in _POSTGRES:
        shown = f"{scheme}+{driver}" if driver else scheme
        raise UsageError(f"{shown}:// is no PostgreSQL URL", "a database URL starts with postgresql:// or postgres://")


def _from_url(rest: str, *, jdbc: bool) -> Dsn:
    _refuse_placeholder(rest)
    parts = split_url(rest, plus_is_blank=jdbc)
    pairs: list[tuple[str, str]] = []
    if parts.hosts:
        pairs.append(("host", ",".join(parts.hosts)))
    if parts.ports:
        pairs.append(("port", ",".join(parts.ports)))
    pairs += [(key, value) for key, value in (("user", parts.user), ("dbname", parts.dbname)) if value]
    if parts.password:
        pairs.append(("password", parts.password))
    # `//host:port/db?host=/tmp`: as in libpq a parameter wins over the part of the URL, but an empty one does not.
    pairs += [(key, value) for key, value in parts.query if value]
    notes: tuple[str, ...] = ()
    if parts.encode:
        shown = " ".join(parts.encode)
        notes = (f"the password in the URL holds unencoded characters ({shown}); it was taken as it stands",)
    return _made(pairs, notes, (parts.raw_password or "",))


def _from_conninfo(text: str) -> Dsn:
    pairs: list[tuple[str, str]] = []
    at = 0
    while text[at:].strip():
        key = _KEY.match(text, at)
        if key is None:
            raise UsageError(
                "the libpq connection string cannot be read: a key=value pair is expected after "
                + (f"{pairs[-1][0]}=..." if pairs else "its beginning"),
                "put a value that holds blanks or quotes into single quotes: password='...', with \\' for a quote",
            )
        if not is_known(key["key"]):
            # Not named: it may be the rest of a password that holds a blank.
            raise UsageError(
                "the libpq connection string holds an unknown key after "
                + (f"{pairs[-1][0]}=..." if pairs else "its beginning"),
                "put a value that holds blanks or quotes into single quotes: password='...', with \\' for a quote",
            )
        value, at = _value(text, key.end(), key["key"])
        pairs.append((key["key"], value))
    for name, value in pairs:
        if name not in SECRET:
            _refuse_placeholder(value)
    return _made(pairs, (), ())


def _value(text: str, at: int, key: str) -> tuple[str, int]:
    """One value of a conninfo and where it ends, by libpq's rules for quotes and backslashes."""
    quoted = text[at : at + 1] == "'"
    at += quoted
    value: list[str] = []
    while at < len(text):
        character = text[at]
        if character == "\\" and at + 1 < len(text):
            value.append(text[at + 1])
            at += 2
            continue
        if character == "'" and quoted:
            return "".join(value), at + 1
        if character.isspace() and not quoted:
            break
        value.append(character)
        at += 1
    if quoted:
        raise UsageError(f"the libpq connection string has no closing quote after {key}='")
    return "".join(value), at


def _made(pairs: list[tuple[str, str]], notes: tuple[str, ...], written: tuple[str, ...]) -> Dsn:
    parameters, more = translate(pairs)
    password = parameters.get("password", "")
    if _PLACEHOLDER.fullmatch(password) or _WHOLE_PASSWORD.fullmatch(password):
        raise UsageError(
            "the database URL still holds a placeholder instead of the password",
            "put the database's password there (dashboard, Database settings), without brackets and percent-encoded",
        )
    secrets = {key: value for key, value in parameters.items() if key in SECRET}
    shown = {key: value for key, value in parameters.items() if key not in SECRET}
    return Dsn(shown, secrets, (*notes, *more), tuple(text for text in written if text))


def _refuse_placeholder(text: str) -> None:
    """The dashboard's and the documentation's examples have placeholders in brackets."""
    found = _PLACEHOLDER.search(text)
    if found is not None:
        raise UsageError(
            f"the database URL still holds the placeholder {found[0]}",
            "replace it; a password goes in without brackets, percent-encoded",
        )
