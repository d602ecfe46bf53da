"""Wheels come from the registry or from the cache."""

import hashlib
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

import scripts.bundle
from scripts.bundle import main
from scripts.bundling import dependencies
from scripts.bundling.interpreter import Interpreter
from scripts.bundling.lock import Locked, read_lock
from scripts.bundling.target import BundleError, Target
from scripts.bundling.wheels import FetchError, fetch_wheels

TARGET = Target("arm64", "3.13")
LOCK = """\
# a comment
one==1.0 ; python_full_version < '3.12' \\
    --hash=sha256:aa \\
    --hash=sha256:bb
one==2.0 ; python_full_version >= '3.12' \\
    --hash=sha256:cc
two==5.1 \\
    --hash=sha256:dd
for-windows==1.0 ; sys_platform == 'win32' \\
    --hash=sha256:ee
"""


@pytest.fixture
def no_registry(refused_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", f"{refused_url}/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")


def test_the_lock_is_read_for_the_target_and_not_for_this_python(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text(LOCK)
    assert read_lock(lock, ("two", "one"), TARGET) == [
        Locked("two", "5.1", frozenset({"dd"})),
        Locked("one", "2.0", frozenset({"cc"})),
    ]
    with pytest.raises(BundleError, match=r"lacks for-windows, three; .*make lock"):
        read_lock(lock, ("one", "for-windows", "three"), TARGET)


def test_a_wheel_in_the_cache_needs_no_registry_unless_it_is_damaged(no_registry: None, tmp_path: Path) -> None:
    folder = tmp_path / "wheels-arm64-3.13"
    folder.mkdir()
    wheel = folder / "one-1.0-py3-none-any.whl"
    wheel.write_bytes(b"content")
    locked = Locked("one", "1.0", frozenset({hashlib.sha256(b"content").hexdigest()}))
    assert fetch_wheels([locked], TARGET, tmp_path) == [wheel]
    wheel.write_bytes(b"CONTENT")
    with pytest.raises(FetchError, match=r"cannot fetch one 1\.0 for arm64, Python 3\.13"):
        fetch_wheels([locked], TARGET, tmp_path)


def test_two_builds_at_once_leave_each_other_their_dependencies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unpacked(_wheels: list[Path], tree: Path) -> None:
        tree.mkdir()
        (tree / "one.py").touch()

    def zipped(_tree: Path, file: Path) -> None:
        """Let another build finish meanwhile and read its archive."""
        for each in (file, archive):
            with ZipFile(each, "w") as content:
                content.writestr("one.py", "")

    monkeypatch.setattr(dependencies, "fetch_wheels", lambda *_: [])
    monkeypatch.setattr(dependencies, "_unpack", unpacked)
    monkeypatch.setattr(dependencies, "add_folder", zipped)
    monkeypatch.setattr(dependencies, "_key", lambda *_: "new")
    archive, outdated = (tmp_path / f"dependencies-arm64-3.13-{key}.zip" for key in ("new", "old"))
    outdated.touch()
    unlinked: list[Path] = []
    unlink = Path.unlink

    def noted(path: Path, **how: Any) -> None:
        unlinked.append(path)
        unlink(path, **how)

    monkeypatch.setattr(Path, "unlink", noted)
    interpreter = Interpreter(sys.executable, sys.version)
    assert dependencies.dependencies_archive(TARGET, interpreter, tmp_path) == archive
    assert archive.exists()
    assert unlinked == [outdated]


def test_without_registry_and_cache_the_command_says_so(
    no_registry: None,
    bundle_interpreter: Interpreter,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(scripts.bundle, "CACHE", tmp_path / "cache")
    assert main(["--arch", "arm64", "--out", str(tmp_path / "bundle.zip")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: cannot fetch ai-edge-litert ")
    assert "needs a package registry" in said
    assert not (tmp_path / "bundle.zip").exists()
