"""infra/gcp/stage.sh prepares complete sources for the buildpack."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gcp.conftest import GCP

ROOT = GCP.parents[1]


def locked(path: Path) -> dict[str, str]:
    """List the first line of each requirement of a lock file."""
    entries = re.split(r"\n(?=\S)", path.read_text())
    return {entry.partition("\n")[0].removesuffix(" \\"): entry.rstrip() for entry in entries if entry[:1].isalpha()}


@pytest.mark.parametrize("target", ["search", "reindex"])
def test_the_uploaded_files(staged: Path, target: str) -> None:
    folder = staged / target
    assert {each.name for each in folder.iterdir()} == {"main.py", "requirements.txt", "functions", "embeddings"}
    files = {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}
    assert {"functions/main.py", "functions/search/openapi.json", "functions/search/reference.html"} <= files
    assert "embeddings/pretrained/garment.tflite" in files
    assert not [each for each in files if "training" in each or "cache" in each]
    assert [each for each in files if each.endswith("requirements.txt")] == ["requirements.txt"]
    assert sum(each.stat().st_size for each in folder.rglob("*")) < 20_000_000


@pytest.mark.parametrize("target", ["search", "reindex"])
def test_the_requirements_have_hashes_and_no_extras(staged: Path, target: str) -> None:
    requirements = locked(staged / target / "requirements.txt")
    assert all("--hash=sha256:" in entry for entry in requirements.values())
    names = {each.partition("==")[0] for each in requirements}
    assert {"ai-edge-litert", "functions-framework", "obstore"} <= names
    assert not names & {"tensorflow-cpu", "keras", "boto3", "pytest", "moto"}
    assert ("google-cloud-storage" in names) == (target == "reindex")


def test_the_versions_are_the_tested_ones() -> None:
    """`make lock` writes infra/gcp/requirements.txt together with the other locks."""
    ours, all_of_them = locked(GCP / "requirements.txt"), locked(ROOT / "requirements.txt")
    slim = locked(ROOT / "functions" / "requirements.txt")
    assert ours.items() <= all_of_them.items()
    assert slim.items() <= ours.items()


def test_a_used_folder_is_refused(staged: Path) -> None:
    result = subprocess.run([GCP / "stage.sh", staged], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "exists already" in result.stderr


@pytest.mark.slow
def test_the_uploaded_sources_are_enough(staged: Path, tmp_path: Path) -> None:
    """The requirements suffice in an environment with nothing else, installed by hash as the buildpack does."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    install += ["--disable-pip-version-check", "--require-hashes", "--no-compile"]
    install += ["-r", str(staged / "reindex" / "requirements.txt")]
    installed = subprocess.run(install, capture_output=True, text=True, check=False)
    if "ConnectionError" in installed.stderr or "No matching distribution" in installed.stderr:
        pytest.skip(f"the package registry cannot be reached: {installed.stderr.splitlines()[-1]}")
    assert installed.returncode == 0, installed.stderr
    code = "import google.cloud.storage, main, functions; print(functions.__file__, main.search, main.reindex)"
    result = subprocess.run(
        [python, "-B", "-c", code], cwd=staged / "reindex", capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(str(staged / "reindex"))
