"""The Python that a bundle is for: it compiles the modules, and answers the first query."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.bundling.target import TASK_ROOT, BundleError

# What is on the PATH may be a starter that looks for the real one in the environment, which the rehearsal empties.
_IDENTIFY = "import sys; print(sys.implementation.cache_tag, sys.executable, sys.version.replace('\\n', ''), sep='\\n')"


@dataclass(frozen=True)
class Interpreter:
    """A Python on this machine."""

    path: str
    version: str
    """Its `sys.version`: the same text writes the same .pyc."""

    def compile_modules(self, tree: Path) -> None:
        """Write a .pyc for every module below `tree`, of the kind that is never compared with its source.

        The usual kind holds the source's time, and so is void after unpacking: each cold start would compile anew.

        Raises:
            BundleError: a module does not compile.
        """
        command = [self.path, "-I", "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
        command += ["-s", str(tree), "-p", TASK_ROOT, str(tree)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise BundleError(f"{self.path} cannot compile the bundle:\n{done.stdout}{done.stderr}")


def find_interpreter(python: str) -> Interpreter:
    """A CPython of version `python` ("3.13"): this one, or the one on the PATH.

    Raises:
        BundleError: there is none.
    """
    command = f"python{python}"
    for candidate in (sys.executable, shutil.which(command)):
        if candidate:
            tag, path, version = _identity(candidate)
            if tag == f"cpython-{python.replace('.', '')}":
                return Interpreter(path, version)
    raise BundleError(
        f"a bundle for Python {python} needs that version here, to compile for it, and there is no {command} on the "
        "PATH that runs. Install it, or choose another runtime with --python."
    )


def _identity(executable: str) -> tuple[str, str, str]:
    """What its .pyc files are named after, where it lies, and its version; all "" if it does not run."""
    command = [executable, "-I", "-S", "-c", _IDENTIFY]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
        tag, path, version = answer.strip().split("\n")
    except (OSError, ValueError, subprocess.CalledProcessError):
        return "", "", ""
    return tag, path, version
