"""Run the README's calls against the real server with a drawn gallery."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from embeddings.embedder import BUNDLED_MODEL, Embedder
from embeddings.rebuild import rebuild
from scripts.drawn_gallery import draw_gallery
from tests.docs.documents import document
from tests.functions.conftest import Service, serve
from tests.functions.http_client import openapi

pytestmark = pytest.mark.slow  # starts the service

_ADDRESS = "http://127.0.0.1:8080"
_KEY = "shirts/black-dotted-01.jpg"

_INTERPRETERS = {"sh": "sh", "js": "node", "python": sys.executable}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service that `make demo` starts, with fewer garments."""
    work = tmp_path_factory.mktemp("examples")
    draw_gallery(work / "gallery", count=84)
    rebuild(str(work / "gallery"), str(work / "index"))
    with serve(work / "log", INDEX_URI=str(work / "index"), IMAGE_BASE_URL="https://images.example.com") as service:
        yield service


Run = Callable[[str, str], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(service: Service, tmp_path: Path) -> Run:
    """Run a program (language, text) against the test's service, in a folder with photo.jpg."""
    draw_gallery(tmp_path / "other", count=1, seed=2)
    next((tmp_path / "other").rglob("*.jpg")).rename(tmp_path / "photo.jpg")

    def run(language: str, program: str) -> "subprocess.CompletedProcess[str]":
        for needed in {"sh": ("curl",), "js": ("node",)}.get(language, ()):
            if shutil.which(needed) is None:
                pytest.skip(f"needs {needed}, which is not installed")
        assert _ADDRESS in program
        file = tmp_path / {"sh": "call.sh", "js": "call.mjs", "python": "call.py"}[language]
        file.write_text(program.replace(_ADDRESS, f"http://127.0.0.1:{service.port}"), encoding="utf-8")
        command = [_INTERPRETERS[language], file.name]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=500, check=False)

    return run


def program(language: str) -> str:
    """Return the only code block in this language of the README's section."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", document("README.md").section("## Call it"), re.M | re.S)
    return str(found)


def test_the_section_has_one_program_in_each_language() -> None:
    section = document("README.md").section("## Call it")
    assert re.findall(r"^```(\w+)$", section, re.M) == list(_INTERPRETERS)


def answers(output: str) -> list[dict[str, object]]:
    """Return the JSON documents that curl wrote one after another."""
    decoder, found = json.JSONDecoder(), []
    while output.strip():
        answer, end = decoder.raw_decode(output.lstrip())
        found.append(answer)
        output = output.lstrip()[end:]
    return found


def test_curl(run: Run) -> None:
    done = run("sh", program("sh"))
    assert done.returncode == 0, done.stderr
    by_photo, by_key, random = answers(done.stdout)
    keys = [[result["key"] for result in answer["results"]] for answer in (by_photo, by_key, random)]  # type: ignore[attr-defined]
    assert [len(each) for each in keys] == [5, 5, 5]
    assert keys[0][0].startswith("shirts/")
    assert _KEY not in keys[1]
    assert all(key.startswith("shoes/") for key in keys[2])


@pytest.mark.parametrize("language", ["js", "python"])
def test_a_program_prints_scores_keys_and_addresses(run: Run, language: str) -> None:
    done = run(language, program(language))
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == 5
    scores = [float(score) for score, _, _ in lines]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0.5
    assert all(url == f"https://images.example.com/{key}" for _, key, url in lines)


@pytest.mark.parametrize("language", ["js", "python"])
def test_a_program_says_what_is_wrong(run: Run, language: str) -> None:
    done = run(language, re.sub(r"k(=|\": )5", r"k\g<1>500", program(language)))
    assert done.returncode != 0
    assert "k must be a whole number from 1 to 100. (/docs#parameter-invalid)" in done.stderr


def _samples() -> list[tuple[str, str]]:
    return [
        (operation["operationId"], sample["source"])
        for path in openapi()["paths"].values()
        for operation in path.values()
        for sample in operation["x-codeSamples"]
    ]


@pytest.mark.parametrize(("operation", "sample"), _samples())
def test_each_call_of_the_reference_is_answered(run: Run, operation: str, sample: str) -> None:
    quiet = re.sub(r"\bcurl ", "curl --output /dev/null --write-out '%{http_code} ' ", sample)
    done = run("sh", quiet.replace("shirts/1042.jpg", _KEY))
    assert done.returncode == 0, done.stderr
    # A model that does not tell what it sees cannot be asked in words.
    status = "400" if operation == "words" and Embedder(BUNDLED_MODEL).sight is None else "200"
    assert done.stdout.split() == [status] * sample.count("curl ")
