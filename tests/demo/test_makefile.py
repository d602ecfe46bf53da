"""The targets of the Makefile, without installing anything."""

import json
import re
import subprocess

import pytest

from scripts.local.service import ROOT


def _make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_make_alone_lists_the_targets() -> None:
    listed = _make()
    assert listed.returncode == 0
    for target in ("demo", "check", "test", "coverage", "bench", "figures", "lint", "lock"):
        assert f"make {target} " in listed.stdout


def test_a_wrong_python_gives_a_plain_message() -> None:
    refused = _make("--always-make", "demo", "PYTHON=false")
    assert refused.returncode != 0
    assert "needs Python 3.11, 3.12 or 3.13 as false" in refused.stderr


def test_the_demo_gets_the_variables() -> None:
    planned = _make("--dry-run", "demo", "GALLERY=my photos", "PORT=9", "PAGE_PORT=10").stdout
    assert 'scripts/demo.py --port "9" --page-port "10" --gallery "my photos"' in planned
    opened = _make("--dry-run", "demo", "HOST=192.168.1.20", "CORS=*").stdout
    assert '--cors "*"' in opened
    assert '--host "192.168.1.20"' in opened
    plain = _make("--dry-run", "demo").stdout
    assert not any(option in plain for option in ("--gallery", "--cors", "--host"))


def test_the_environments_host_does_not_open_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "192.168.1.20")  # some shells export it
    assert "--host" not in _make("--dry-run", "demo").stdout


@pytest.mark.parametrize(("target", "calls"), [("check", 1), ("test", 2), ("coverage", 1)])
def test_the_tests_get_their_arguments(target: str, calls: int) -> None:
    planned = _make("--dry-run", target, "ARGS=-k gallery").stdout
    assert len(re.findall(r"-m pytest .*-k gallery", planned)) == calls


def test_the_node_lock_names_no_download_address() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert packages["node_modules/jquery"]["integrity"].startswith("sha512-")
