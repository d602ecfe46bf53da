"""Where a child's imports come from: an unpacked bundle as on Lambda, or what is installed here."""

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
    """An interpreter, and what goes on its path."""

    command: tuple[str, ...]
    path: str
    """As in PYTHONPATH."""
    name: str


INSTALLED = Environment((sys.executable,), str(ROOT), f"the packages installed for {sys.executable}")


def bundled(work: Path) -> Environment:
    """Build the Lambda bundle for this machine and unpack it; without one, what is installed has to do."""
    try:
        python = _python()
        target = local_target(python)
        if target is None:
            raise BundleError("Lambda has no such machine")
        archive = work / "bundle.zip"
        build(archive, target)
        with ZipFile(archive) as content:
            content.extractall(work / "bundle")
        # As Lambda's, but for its runtime client: no site packages, no .pyc written. The children come from here.
        command = (find_interpreter(python).path, "-s", "-S", "-B")
        return Environment(command, f"{work / 'bundle'}{os.pathsep}{ROOT}", f"the Lambda bundle, Python {python}")
    except (BundleError, OSError) as error:
        return replace(INSTALLED, name=f"installed packages, as no bundle could be built ({error})")


def _python() -> str:
    for python in (f"{sys.version_info.major}.{sys.version_info.minor}", *reversed(PYTHONS)):
        if python in PYTHONS:
            try:
                find_interpreter(python)
            except BundleError:
                continue
            return python
    raise BundleError(f"it needs Python {' or '.join(PYTHONS)} on the PATH")
