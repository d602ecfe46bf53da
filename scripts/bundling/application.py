"""Add this project's own files to a bundle."""

import shutil
import tempfile
from pathlib import Path

from scripts.bundling.archive import add_folder
from scripts.bundling.interpreter import Interpreter
from scripts.bundling.target import ROOT

PACKAGES = ("embeddings", "functions")
_SUFFIXES = (".py", ".json", ".html", ".tflite", ".toml")
_NOT_FOR_LAMBDA = ("embeddings/training", "embeddings/storage/writers/gcs.py", "functions/main.py")


def add_application(archive: Path, interpreter: Interpreter) -> None:
    """Add the modules, the documents for /openapi.json and /docs, and the model with its card to a zip file.

    Raises:
        BundleError: a module does not compile.
    """
    with tempfile.TemporaryDirectory() as temporary:
        tree = Path(temporary)
        for file in application_files():
            destination = tree / file.relative_to(ROOT)
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, destination)
        interpreter.compile_modules(tree)
        add_folder(tree, archive)


def application_files() -> list[Path]:
    """List the files of this checkout that go into a bundle."""
    return [
        file
        for package in PACKAGES
        for file in sorted((ROOT / package).rglob("*"))
        if file.suffix in _SUFFIXES
        and not any(part.startswith(".") for part in file.relative_to(ROOT).parts)
        and not any(file.relative_to(ROOT).is_relative_to(excluded) for excluded in _NOT_FOR_LAMBDA)
    ]
