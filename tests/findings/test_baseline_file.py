"""The file of a baseline: read again as it was written, and refused in one line where it is none."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from trigger_audit.errors import TriggerAuditError
from trigger_audit.findings.baseline import Baseline, Entry
from trigger_audit.findings.baseline_file import check_writable, read_baseline, write_baseline, written
from trigger_audit.findings.model import Severity

ENTRY = Entry("TA106", Severity.ERROR, 'public."f\u202e"()', "a \u2192 b\x1b[31m \udcff", 2, "ab" * 16)
BASELINE = Baseline((ENTRY,))


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    write_baseline(file, BASELINE)
    assert read_baseline(file) == BASELINE
    assert file.read_text(encoding="ascii") == written(BASELINE)
    assert json.loads(file.read_text()) == {
        "schema": "trigger-audit/baseline/1",
        "findings": [
            {
                "rule": "TA106",
                "severity": "error",
                "object": ENTRY.object,
                "message": ENTRY.message,
                "count": 2,
                "fingerprint": "ab" * 16,
            }
        ],
    }
    assert os.listdir(tmp_path) == ["baseline.json"]


def test_rights_and_links_stay(tmp_path: Path) -> None:
    file, link = tmp_path / "real.json", tmp_path / "link.json"
    file.write_text("{}")
    file.chmod(0o640)
    link.symlink_to(file)
    write_baseline(link, BASELINE)
    assert link.is_symlink()
    assert read_baseline(file) == BASELINE
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    mask = os.umask(0o027)
    try:
        write_baseline(tmp_path / "fresh.json", BASELINE)
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "fresh.json").stat().st_mode) == 0o640


def test_a_failure_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "baseline.json"
    write_baseline(file, BASELINE)
    before = file.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TriggerAuditError, match=r"the baseline .* cannot be written: No space left on device"):
        write_baseline(file, Baseline())
    assert file.read_bytes() == before
    assert os.listdir(tmp_path) == ["baseline.json"]


def good(**changes: object) -> str:
    entry = {**json.loads(written(BASELINE))["findings"][0], **changes}
    return json.dumps({"schema": "trigger-audit/baseline/1", "findings": [entry]})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no JSON: Expecting value at line 1, column 1"),
        (b'{\n  "schema": \n<<<<<<< ours\n', "is no JSON: Expecting value at line 3, column 1"),
        (b'{"schema": "\xff"}', "is not UTF-8: byte 0xff in line 1"),
        (b"[" * 100_000, "cannot be read as JSON: a value in it is too large or too deep"),
        (b"[]", "is no baseline of trigger-audit: its schema is not trigger-audit/baseline/1"),
        (b'{"name": "package", "version": "1"}', "is no baseline of trigger-audit"),
        (b'{"schema": 1}', "is no baseline of trigger-audit"),
        (b'{"schema": "trigger-audit/scan/1"}', "is no baseline, but a report ('trigger-audit/scan/1')"),
        (b'{"schema": "trigger-audit/baseline/2"}', "by a newer trigger-audit: version 2, and this one reads 1"),
        (b'{"schema": "trigger-audit/baseline/x"}', "is no baseline of trigger-audit"),
        (b'{"schema": "trigger-audit/baseline/1"}', "is broken: findings is no list"),
        (b'{"schema": "trigger-audit/baseline/1", "findings": [1]}', "is broken: finding 1 is no object"),
        (good(rule=None).encode(), "is broken: finding 1 has no rule"),
        (good(fingerprint=[]).encode(), "is broken: finding 1 has no fingerprint"),
        (good(count=0).encode(), "is broken: finding 1 has no count from 1 on"),
        (good(count=True).encode(), "is broken: finding 1 has no count from 1 on"),
        (good(count=1.5).encode(), "is broken: finding 1 has no count from 1 on"),
        (good(severity="grave").encode(), "has no severity that is one of error, warning, info"),
    ],
)
def test_what_is_no_baseline(content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    file.write_bytes(content)
    with pytest.raises(TriggerAuditError) as caught:
        read_baseline(file)
    assert caught.value.message.startswith(f"the baseline {str(file)!r} ")
    assert message in caught.value.message
    assert "\n" not in caught.value.message


def test_what_a_later_version_adds_and_a_byte_order_mark_do_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    file.write_text("\ufeff" + good(note="ours"), encoding="utf-8")
    assert read_baseline(file) == BASELINE


def test_the_same_entry_twice_is_counted_together(tmp_path: Path) -> None:
    document = json.loads(written(BASELINE))
    document["findings"] *= 2
    (tmp_path / "merged.json").write_text(json.dumps(document))
    assert [entry.count for entry in read_baseline(tmp_path / "merged.json").entries] == [4]


def test_what_is_no_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, problem in ((tmp_path, "is a folder"), (tmp_path / "none", "does not exist"), (pipe, "is no file")):
        with pytest.raises(TriggerAuditError, match=problem):
            read_baseline(path)
    for path, problem in ((tmp_path, "is a folder"), (pipe, "is no file"), (tmp_path / "no" / "f", "does not exist")):
        with pytest.raises(TriggerAuditError, match=problem):
            check_writable(path)
    check_writable(tmp_path / "new.json")


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT ROOT: only root can stop being root for a while")
def test_what_is_closed_to_us(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "closed").mkdir(mode=0o700)
    for name, mode in (("open.json", 0o644), ("secret.json", 0o600)):
        write_baseline(tmp_path / name, BASELINE)
        (tmp_path / name).chmod(mode)
    # The folders above are root's own.
    descriptor = os.open(tmp_path, os.O_RDONLY)
    before = Path.cwd()
    os.fchdir(descriptor)
    os.seteuid(65534)
    try:
        assert read_baseline(Path("open.json")) == BASELINE
        for read in (Path("secret.json"), Path("closed/baseline.json")):
            with pytest.raises(TriggerAuditError, match="cannot be read: Permission denied"):
                read_baseline(read)
        with pytest.raises(TriggerAuditError, match="cannot be written: Permission denied"):
            check_writable(Path("closed/baseline.json"))
        with pytest.raises(TriggerAuditError, match="cannot be written: Permission denied"):
            write_baseline(Path("closed/baseline.json"), BASELINE)
    finally:
        os.seteuid(0)
        os.chdir(before)
        os.close(descriptor)
