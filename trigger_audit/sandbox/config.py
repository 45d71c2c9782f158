"""What a project's config.toml says of the ways to sign up that not every project has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trigger_audit.sandbox.project import is_supabase_folder

_CONFIG = "config.toml"
# Without one of these the Supabase CLI disables phone log-ins, whatever enable_signup says.
_SMS_PROVIDERS = ("twilio", "twilio_verify", "messagebird", "textlocal", "vonage")


@dataclass(frozen=True, slots=True)
class EnabledFlows:
    """The latent flows that a project has enabled, in their order; `problem` says why its file cannot be read."""

    file: Path
    flows: tuple[str, ...]
    problem: str | None = None


def enabled_flows(path: Path) -> EnabledFlows | None:
    """Read from a project folder or its supabase/ folder; None where it has no config.toml. Raises nothing."""
    import tomllib

    root = path / "supabase" if is_supabase_folder(path / "supabase") else path
    file = root / _CONFIG
    if not file.is_file():
        return None
    try:
        return EnabledFlows(file, flows_of(tomllib.loads(file.read_text(encoding="utf-8-sig"))))
    except OSError as error:
        return EnabledFlows(file, (), f"it cannot be read: {error.strerror or error}")
    except (ValueError, RecursionError):
        return EnabledFlows(file, (), "it cannot be read as TOML")


def flows_of(config: Mapping[str, object]) -> tuple[str, ...]:
    """The flows by the CLI's defaults, where every key here is off unless it is written.

    enable_signup = false of [auth] closes these ways as well: Auth then makes no user but by an administrator. What
    `env(...)` would give is not known, and counts as off.
    """
    auth = _table(config, "auth")
    if auth.get("enabled") is False or auth.get("enable_signup") is False:
        return ()
    sms = _table(auth, "sms")
    flows = []
    if sms.get("enable_signup") is True and any(_table(sms, name).get("enabled") is True for name in _SMS_PROVIDERS):
        flows.append("signup-phone")
        if sms.get("enable_confirmations") is True:
            flows.append("verify-phone")
    if auth.get("enable_anonymous_sign_ins") is True:
        flows.append("anonymous")
    return tuple(flows)


def _table(config: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = config.get(key)
    return found if isinstance(found, dict) else {}
