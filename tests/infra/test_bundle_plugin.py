"""`serverless deploy` builds the bundle for all functions."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.infra.conftest import Serverless

# A stand-in for scripts/bundle.py: records its arguments and writes the file.
RECORDING = """\
import pathlib, sys, zipfile
pathlib.Path("called").write_text(" ".join(sys.argv))
pathlib.Path(sys.argv[-1]).parent.mkdir()
with zipfile.ZipFile(sys.argv[-1], "w") as bundle:
    bundle.writestr("functions/__init__.py", "")
"""


@pytest.fixture
def copy(project: Path, tmp_path: Path) -> Path:
    """A copy of the project to build in."""
    folder = tmp_path / "project"
    shutil.copytree(project, folder)
    (folder / "scripts").mkdir()
    return folder


@pytest.mark.slow
def test_it_builds_for_the_architecture(copy: Path, serverless: Serverless) -> None:
    (copy / "scripts/bundle.py").write_text(RECORDING)
    done = serverless("package", "--param=architecture=x86_64", cwd=copy, PYTHON=sys.executable)
    assert done.returncode == 0, done.stderr
    zip_file = ".build/garment-search-x86_64.zip"
    assert (copy / "called").read_text() == f"scripts/bundle.py --arch x86_64 --python 3.13 --out {zip_file}"
    assert (copy / zip_file).exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "python", "reason"),
    [("raise SystemExit(3)", sys.executable, "exit code 3"), ("", "no-such-python", "ENOENT")],
)
def test_a_failed_build_says_what_to_do(
    copy: Path, serverless: Serverless, script: str, python: str, reason: str
) -> None:
    (copy / "scripts/bundle.py").write_text(script)
    done = serverless("package", cwd=copy, PYTHON=python)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert reason in said
    assert "Set PYTHON to the Python that builds the bundle" in said
    assert "\n    at " not in said  # no stack trace


@pytest.mark.slow
def test_one_function_alone_is_refused(serverless: Serverless) -> None:
    """The CLI cannot deploy one, because it does not know the names of roles that the stack creates."""
    done = serverless("deploy", "function", "--function", "search", AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x")
    assert done.returncode != 0
    assert "`serverless deploy` updates all of them" in done.stdout + done.stderr
