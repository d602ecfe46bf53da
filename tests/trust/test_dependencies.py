"""What is installed is what was locked, to the byte."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.txt", "functions/requirements.txt", "infra/gcp/requirements.txt")


@pytest.mark.parametrize("lock", LOCKS)
def test_every_python_package_is_pinned_with_hashes(lock: str) -> None:
    entries = re.split(r"^(?=\S)", (ROOT / lock).read_text(), flags=re.MULTILINE)
    entries = [each for each in entries if each and not each.startswith("#")]
    assert len(entries) > 5
    for each in entries:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+ ", each), f"{each[:60]!r} is not pinned to a release"
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", each), f"{each[:60]!r} has no hash"
        assert not re.search(r"md5|sha1:|://|\bgit\b", each)


def test_every_node_package_is_pinned_with_its_checksum() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    locked = {name: each for name, each in packages.items() if name and not each.get("link")}
    assert len(locked) > 20
    for name, each in locked.items():
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", each["integrity"]), name


@pytest.mark.parametrize("script", ["Makefile", "scripts/bundling/dependencies.py", ".ci/run"])
def test_nothing_is_installed_past_the_locks(script: str) -> None:
    text = (ROOT / script).read_text()
    for line in re.findall(r".*\b(?:pip|npm) (?:install|ci)\b.*", text):
        assert "--require-hashes" in line or "npm ci" in line or "node@22" in line, line


def test_actions_are_pinned_to_a_commit_and_may_only_read() -> None:
    workflows = list((ROOT / ".github/workflows").iterdir())
    assert len(workflows) == 2
    for each in workflows:
        text = each.read_text()
        assert "\npermissions:\n  contents: read\n" in text
        for action in re.findall(r"uses: (.*)", text):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[0-9.]+", action), action


def test_the_page_loads_nothing_from_elsewhere() -> None:
    for path in (ROOT / "site").glob("*"):
        if path.suffix in (".html", ".js", ".css"):
            assert not re.search(
                r"""(?:src|href)=["']https?://|import\(?["']https?:|url\(["']?https?:""", path.read_text()
            )
