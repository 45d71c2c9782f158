"""Where a Supabase project is kept, and what its config.toml says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_CONFIG = "config.toml"
# Without one of these the Supabase CLI disables phone log-ins, whatever enable_signup says.
_SMS_PROVIDERS = ("twilio", "twilio_verify", "messagebird", "textlocal", "vonage")


def supabase_folder(path: Path) -> Path | None:
    """The folder that the Supabase CLI keeps a project in: supabase/ below the path, or the path itself."""
    return next((folder for folder in (path / "supabase", path) if is_supabase_folder(folder)), None)


def is_supabase_folder(path: Path) -> bool:
    """Whether the folder is what the Supabase CLI keeps a project in."""
    return (path / _CONFIG).is_file() or (path / "migrations").is_dir()


@dataclass(frozen=True, slots=True)
class Config:
    """A project's config.toml; where it cannot be read `tables` is empty, and `problem` says why."""

    file: Path
    tables: Mapping[str, object] = field(default_factory=dict)
    problem: str | None = None


def read_config(folder: Path) -> Config | None:
    """That of a supabase folder, with or without a byte order mark; None where it has none. Raises nothing."""
    import tomllib

    file = folder / _CONFIG
    if not file.is_file():
        return None
    try:
        return Config(file, tomllib.loads(file.read_text(encoding="utf-8-sig")))
    except OSError as error:
        return Config(file, problem=f"it cannot be read: {error.strerror or error}")
    except (ValueError, RecursionError):
        return Config(file, problem="it cannot be read as TOML")


@dataclass(frozen=True, slots=True)
class EnabledFlows:
    """The latent flows that a project has enabled, in their order; `problem` says why its file cannot be read."""

    file: Path
    flows: tuple[str, ...]
    problem: str | None = None


def enabled_flows(path: Path) -> EnabledFlows | None:
    """Read from a project folder or its supabase/ folder; None where it has no config.toml. Raises nothing."""
    folder = supabase_folder(path)
    config = None if folder is None else read_config(folder)
    return None if config is None else EnabledFlows(config.file, flows_of(config.tables), config.problem)


def flows_of(config: Mapping[str, object]) -> tuple[str, ...]:
    """The flows by the CLI's defaults, where every key here is off unless it is written.

    enable_signup = false of [auth] closes these ways as well: Auth then makes no user but by an administrator. What
    `env(...)` would give is not known, and counts as off.
    """
    auth = table(config, "auth")
    if auth.get("enabled") is False or auth.get("enable_signup") is False:
        return ()
    sms = table(auth, "sms")
    flows = []
    if sms.get("enable_signup") is True and any(table(sms, name).get("enabled") is True for name in _SMS_PROVIDERS):
        flows.append("signup-phone")
        if sms.get("enable_confirmations") is True:
            flows.append("verify-phone")
    if auth.get("enable_anonymous_sign_ins") is True:
        flows.append("anonymous")
    return tuple(flows)


def table(config: Mapping[str, object], key: str) -> Mapping[str, object]:
    """The table of that name, an empty one where there is none."""
    found = config.get(key)
    return found if isinstance(found, dict) else {}
