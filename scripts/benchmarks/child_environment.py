"""The Python that a child process runs on: an unpacked Lambda bundle, or the packages installed here."""

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import ZipFile

from scripts.bundle import build
from scripts.bundling.interpreter import find_interpreter
from scripts.bundling.target import PYTHONS, ROOT, BundleError, local_target


@dataclass(frozen=True)
class Environment:
    """An interpreter and its import path."""

    command: tuple[str, ...]
    path: str
    """The value of PYTHONPATH."""
    name: str
    """For the title of a table."""


INSTALLED = Environment((sys.executable,), str(ROOT), f"the packages installed for {sys.executable}")


def bundled(work: Path) -> Environment:
    """Build and unpack the Lambda bundle for this machine; if that fails, use the installed packages."""
    try:
        python = _python()
        target = local_target(python)
        if target is None:
            raise BundleError("Lambda does not run on this kind of machine")
        archive = work / "bundle.zip"
        build(archive, target)
        with ZipFile(archive) as content:
            content.extractall(work / "bundle")
        # As on Lambda: no site packages, and no .pyc files written. The child scripts come from this checkout.
        command = (find_interpreter(python).path, "-s", "-S", "-B")
        return Environment(command, f"{work / 'bundle'}{os.pathsep}{ROOT}", f"the Lambda bundle, Python {python}")
    except (BundleError, OSError) as error:
        return replace(INSTALLED, name=f"installed packages, because no bundle could be built ({error})")


def _python() -> str:
    for python in (f"{sys.version_info.major}.{sys.version_info.minor}", *reversed(PYTHONS)):
        if python in PYTHONS:
            try:
                find_interpreter(python)
            except BundleError:
                continue
            return python
    raise BundleError(f"a bundle needs Python {' or '.join(PYTHONS)} on the PATH")
