"""Find the Python that a bundle is for; it compiles the modules and runs the rehearsal."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.bundling.target import TASK_ROOT, BundleError

# The command on the PATH may be a shim that needs environment variables, which the rehearsal removes: ask for the real
# path.
_IDENTIFY = "import sys; print(sys.implementation.cache_tag, sys.executable, sys.version.replace('\\n', ''), sep='\\n')"


@dataclass(frozen=True)
class Interpreter:
    """A Python on this machine."""

    path: str
    version: str
    """Its `sys.version`; equal versions write equal .pyc files."""

    def compile_modules(self, tree: Path) -> None:
        """Write a .pyc file for every module below `tree` that is never compared with its source.

        A usual .pyc file holds the time of its source. Unpacking changes that, and each cold start would compile again.

        Raises:
            BundleError: a module does not compile.
        """
        command = [self.path, "-I", "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
        command += ["-s", str(tree), "-p", TASK_ROOT, str(tree)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise BundleError(f"{self.path} cannot compile the bundle:\n{done.stdout}{done.stderr}")


def find_interpreter(python: str) -> Interpreter:
    """Find a CPython of version `python` ("3.13"): the running one, or one on the PATH.

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
        f"a bundle for Python {python} is compiled by that version, and no working {command} is on the PATH; "
        "install it, or choose another runtime with --python"
    )


def _identity(executable: str) -> tuple[str, str, str]:
    """Return its cache tag, path and version, or empty strings if it does not run."""
    command = [executable, "-I", "-S", "-c", _IDENTIFY]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
        tag, path, version = answer.strip().split("\n")
    except (OSError, ValueError, subprocess.CalledProcessError):
        return "", "", ""
    return tag, path, version
