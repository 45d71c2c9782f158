"""Which latent flows a project's config.toml enables."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from trigger_audit.auth import FLOWS
from trigger_audit.sandbox.config import enabled_flows, flows_of

PROVIDER = "[auth.sms.twilio]\nenabled = true\n"


@pytest.mark.parametrize(
    ("text", "flows"),
    [
        ("", ()),
        ("[auth]\nenabled = true\nenable_signup = true", ()),
        ("[auth]\nenable_anonymous_sign_ins = true", ("anonymous",)),
        ("[auth]\nenable_anonymous_sign_ins = true\nenable_signup = false", ()),
        ("[auth]\nenable_anonymous_sign_ins = true\nenabled = false", ()),
        ('[auth]\nenable_anonymous_sign_ins = "env(ANONYMOUS)"', ()),
        ("[auth.sms]\nenable_signup = true", ()),
        (f"[auth.sms]\nenable_signup = true\n{PROVIDER}", ("signup-phone",)),
        (f"[auth.sms]\nenable_signup = true\nenable_confirmations = true\n{PROVIDER}",
         ("signup-phone", "verify-phone")),
        (f"[auth.sms]\nenable_signup = false\nenable_confirmations = true\n{PROVIDER}", ()),
        ("[auth.sms]\nenable_signup = true\n[auth.sms.vonage]\nenabled = false", ()),
        (f"[auth]\nenable_anonymous_sign_ins = true\n[auth.sms]\nenable_signup = true\n{PROVIDER}",
         ("signup-phone", "anonymous")),
        ("auth = 1", ()),
        ("[auth]\nsms = [1]", ()),
        ("[auth.sms]\nenable_signup = true\ntwilio = 1", ()),
    ],
)  # fmt: skip
def test_flows(text: str, flows: tuple[str, ...]) -> None:
    assert flows_of(tomllib.loads(text)) == flows
    assert set(flows) <= {flow.name for flow in FLOWS if flow.latent}


def test_the_file_is_that_of_the_project_or_of_its_supabase_folder(tmp_path: Path) -> None:
    folder = tmp_path / "supabase"
    folder.mkdir()
    file = folder / "config.toml"
    file.write_text("[auth]\nenable_anonymous_sign_ins = true\n")
    for path in (tmp_path, folder):
        found = enabled_flows(path)
        assert found is not None
        assert (found.file, found.flows, found.problem) == (file, ("anonymous",), None)
    assert enabled_flows(folder / "migrations") is None


@pytest.mark.parametrize("raw", [b"[auth", b"[auth]\nx = '\xe9'", b"x = " + b"[" * 5000])
def test_a_broken_file_enables_nothing_and_says_so(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "config.toml").write_bytes(raw)
    found = enabled_flows(tmp_path)
    assert found is not None
    assert (found.flows, found.problem) == ((), "it cannot be read as TOML")
