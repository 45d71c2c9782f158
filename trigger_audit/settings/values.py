"""The kinds of values in a settings file, and the nearest name to one that is unknown. UsageError for what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trigger_audit.errors import UsageError


def kind(value: object) -> str:
    """What a value is, in words."""
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "a table"}
    return kinds.get(type(value), "a date or time")


def strings(value: object) -> tuple[str, ...]:
    """A list of strings, each once, without the blanks around them."""
    if not isinstance(value, list):
        raise UsageError(f"it must be a list of strings, not {kind(value)}")
    for entry in value:
        if not isinstance(entry, str):
            raise UsageError(f"it must be a list of strings, and one of them is {kind(entry)}")
        if not entry.strip():
            raise UsageError("a string in it is empty")
    return tuple(dict.fromkeys(entry.strip() for entry in value))


def string(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{what} must be a string, not {kind(value)}")
    return value


def table(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise UsageError(f"it must be a table, not {kind(value)}")
    return value


def one_of(value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise UsageError(f"{short(value)} is none of {', '.join(known)}")
    return value


def nearest(name: str, known: Iterable[str], what: str) -> str:
    """A remedy: the known name that is most like it, else all of them."""
    from difflib import get_close_matches

    names = list(known)
    near = get_close_matches(name[:100].lower().replace("_", "-"), names, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"the {what} are {', '.join(names)}"


def short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}...")


def quoted(text: str) -> str:
    """As TOML writes a string."""
    import json

    return json.dumps(text, ensure_ascii=False)
