"""Builds are reproducible and never leave a bundle that does not work."""

import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

import scripts.bundle
from scripts.bundle import main
from scripts.bundling.archive import check_budget
from scripts.bundling.checks import check_libraries, check_modules, rehearse
from scripts.bundling.interpreter import Interpreter, find_interpreter
from scripts.bundling.target import ROOT, BundleError, Target, local_target

pytestmark = pytest.mark.timeout(300)  # the first one downloads and builds
on_x86_64 = pytest.mark.skipif(
    local_target("3.13") != Target("x86_64", "3.13"), reason="only x86_64 Linux runs this bundle"
)


@pytest.fixture
def broken(unpacked_x86_64: Path, tmp_path: Path) -> Path:
    """A copy of the unpacked bundle to break: tests may delete or replace files, but not write to them."""
    return Path(shutil.copytree(unpacked_x86_64, tmp_path / "bundle", copy_function=os.link))


def replace(module: Path, source: str) -> None:
    """Replace a module. Its .pyc file has to go, because Python never compares it with the source."""
    module.unlink()
    module.write_text(source)
    next((module.parent / "__pycache__").glob(f"{module.stem}.*")).unlink()


@pytest.mark.slow
def test_another_folder_and_an_empty_cache_give_the_same_bytes(
    bundle_x86_64: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = "wheels-x86_64-3.13"
    cache = tmp_path / "a cache of its own"
    shutil.copytree(scripts.bundle.CACHE / wheels, cache / wheels)
    monkeypatch.setattr(scripts.bundle, "CACHE", cache)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    again = tmp_path / "elsewhere" / "again.zip"
    assert main(["--arch", "x86_64", "--out", str(again)]) == 0
    assert again.read_bytes() == bundle_x86_64.read_bytes()
    assert [each.name for each in again.parent.iterdir()] == ["again.zip"]


@pytest.mark.slow
@on_x86_64
def test_the_handler_answers_inside_and_imports_little(unpacked_x86_64: Path, bundle_interpreter: Interpreter) -> None:
    modules = rehearse(unpacked_x86_64, bundle_interpreter).modules
    assert {"functions.search.application", "ai_edge_litert.interpreter", "obstore", "PIL.WebPImagePlugin"} <= {
        *modules
    }
    imported = {name.split(".")[0] for name in modules}
    assert imported == {
        "functions",
        "embeddings",
        "ai_edge_litert",
        "apig_wsgi",
        "multipart",
        "numpy",
        "obstore",
        "PIL",
        "simsimd",
    }
    check_modules(unpacked_x86_64, modules)
    with pytest.raises(BundleError, match=r"lacks the module numpy\.missing"):
        check_modules(unpacked_x86_64, (*modules, "numpy.missing"))


@pytest.mark.slow
@on_x86_64
@pytest.mark.parametrize(
    "missing", ["multipart.py", "embeddings/pretrained/garment.tflite", "functions/reindex/work.py"]
)
def test_a_missing_file_is_found(missing: str, broken: Path, bundle_interpreter: Interpreter) -> None:
    (broken / missing).unlink()
    with pytest.raises(BundleError, match="the bundle does not work"):
        rehearse(broken, bundle_interpreter)


@pytest.mark.slow
@on_x86_64
def test_a_wrong_answer_is_found(broken: Path, bundle_interpreter: Interpreter) -> None:
    source = (
        "MultipartError = MultipartParser = MultipartPart = Exception\n"
        "def parse_options_header(_): return 'text/plain', {}\n"
    )
    replace(broken / "multipart.py", source)
    with pytest.raises(BundleError, match=r"the search for across\.jpg answered .*'status': 415"):
        rehearse(broken, bundle_interpreter)


@pytest.mark.slow
@on_x86_64
def test_a_forbidden_import_is_found(broken: Path, bundle_interpreter: Interpreter) -> None:
    (broken / "boto3.py").touch()
    log = broken / "functions" / "log.py"
    replace(log, f"{log.read_text()}\nimport boto3\n")
    with pytest.raises(BundleError, match="a query imports boto3"):
        rehearse(broken, bundle_interpreter)


@pytest.mark.slow
def test_libraries_that_cannot_load_are_found(broken: Path) -> None:
    assert check_libraries(broken, Target("x86_64", "3.13")) > 30
    with pytest.raises(BundleError, match="is not for arm64"):
        check_libraries(broken, Target("arm64", "3.13"))
    (jpeg,) = (broken / "pillow.libs").glob("libjpeg-*")
    jpeg.unlink()
    with pytest.raises(BundleError, match=f"needs {jpeg.name}"):
        check_libraries(broken, Target("x86_64", "3.13"))


@pytest.mark.slow
def test_a_failed_check_leaves_the_old_file(
    bundle_x86_64: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "bundle.zip"
    out.write_bytes(b"the last good one")
    monkeypatch.setattr(scripts.bundle, "check_budget", partial(check_budget, most_zipped=20_000_000))
    assert main(["--arch", "x86_64", "--out", str(out)]) == 1
    said = capsys.readouterr().err
    assert "at most 95 and 20 are allowed" in said
    assert "MB  numpy.libs\n" in said
    assert out.read_bytes() == b"the last good one"
    assert [each.name for each in tmp_path.iterdir()] == ["bundle.zip"]


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--arch", "x86_64", "--out", str(tmp_path)]) == 1
    assert f"error: {tmp_path} is a folder" in capsys.readouterr().err


def test_a_missing_python_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stub = tmp_path / "python3.99"
    stub.write_text("#!/bin/sh\nexit 127\n")  # like the shims of version managers for versions that are not installed
    stub.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BundleError, match=r"no working python3\.99 is on the PATH"):
        find_interpreter("3.99")


def test_the_running_python_is_preferred() -> None:
    assert find_interpreter(f"3.{sys.version_info.minor}").path == sys.executable


@pytest.mark.parametrize("wrong", [["--arch", "riscv"], ["--arch", "arm64", "--python", "3.14"], []])
def test_wrong_usage_is_refused(wrong: list[str], tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts" / "bundle.py"), "--out", str(tmp_path / "bundle.zip"), *wrong]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "usage: bundle.py" in refused.stderr
