"""Bundles built by scripts/bundle.py. The first build needs the package registry; later ones use its cache."""

from pathlib import Path
from zipfile import ZipFile

import pytest

from scripts.bundle import build
from scripts.bundling.interpreter import Interpreter, find_interpreter
from scripts.bundling.target import PYTHONS, BundleError, Target
from scripts.bundling.wheels import FetchError

PYTHON = PYTHONS[-1]


@pytest.fixture(scope="session")
def bundle_interpreter() -> Interpreter:
    """The interpreter that bundles are for."""
    try:
        return find_interpreter(PYTHON)
    except BundleError as error:
        pytest.skip(str(error))


def _built(arch: str, folder: Path) -> Path:
    out = folder / f"{arch}.zip"
    try:
        build(out, Target(arch, PYTHON))
    except FetchError as error:
        pytest.skip(str(error))
    return out


@pytest.fixture(scope="session")
def bundle_x86_64(bundle_interpreter: Interpreter, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip file for x86_64."""
    return _built("x86_64", tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="session")
def bundle_arm64(bundle_interpreter: Interpreter, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip file for arm64."""
    return _built("arm64", tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="session")
def unpacked_x86_64(bundle_x86_64: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked zip file; tests must not change it."""
    tree = tmp_path_factory.mktemp("unpacked")
    with ZipFile(bundle_x86_64) as archive:
        archive.extractall(tree)
    return tree
