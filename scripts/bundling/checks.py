"""Check that an unpacked bundle can be loaded and answers a query."""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from scripts.bundling.application import PACKAGES
from scripts.bundling.dependencies import DISTRIBUTIONS
from scripts.bundling.elf import read_elf
from scripts.bundling.interpreter import Interpreter
from scripts.bundling.prune import shared_libraries
from scripts.bundling.target import BundleError, Target

# what every manylinux wheel may expect of the system
_SYSTEM_LIBRARIES = {
    *("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libgcc_s.so.1", "libstdc++.so.6"),
    *("libz.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"),
}
_ALLOWED = {*PACKAGES, *DISTRIBUTIONS.values()}
_REHEARSAL = Path(__file__).with_name("rehearsal.py")


class Rehearsal(NamedTuple):
    """What a query inside the bundle imported."""

    modules: tuple[str, ...]
    """All modules in memory after it, except those of the standard library."""
    import_ms: int


def check_libraries(tree: Path, target: Target) -> int:
    """Check the header of every shared library; return how many there are.

    Raises:
        BundleError: a library is for another machine, or needs one that neither the bundle nor Lambda's system has.
    """
    libraries = shared_libraries(tree)
    present = {library.name for library in libraries} | _SYSTEM_LIBRARIES
    for library in libraries:
        name = library.relative_to(tree)
        try:
            machine, needed = read_elf(library.read_bytes())
        except ValueError as error:
            raise BundleError(f"{name} in the bundle: {error}") from error
        if machine != target.architecture.elf:
            raise BundleError(f"{name} in the bundle is not for {target.arch} (ELF machine {machine})")
        if missing := set(needed) - present:
            raise BundleError(f"{name} in the bundle needs {', '.join(sorted(missing))}, which the bundle lacks")
    return len(libraries)


def rehearse(tree: Path, interpreter: Interpreter) -> Rehearsal:
    """Index three photos and search for them as the Lambda function does, with nothing but the bundle on the path.

    Raises:
        BundleError: the query fails, finds the wrong photo, or imports a module that it must not need.
    """
    with tempfile.TemporaryDirectory() as temporary:
        environment = {
            "AWS_LAMBDA_FUNCTION_NAME": "search",
            "_HANDLER": "functions.aws.search",
            "LAMBDA_TASK_ROOT": str(tree),
            "INDEX_URI": f"{temporary}/index",
            "IMAGE_BASE_URL": "https://images.example",
        }
        command = [interpreter.path, "-I", "-S", "-B", str(_REHEARSAL), str(tree), f"{temporary}/gallery"]
        _run([*command, "index"], environment)
        told = json.loads(_run([*command, "query"], environment).splitlines()[-1])
    for answer in told["answers"]:
        if answer["status"] != 200 or answer["body"]["results"][0]["key"] != answer["key"]:
            raise BundleError(f"inside the bundle, the search for {answer['key']} answered {answer}")
    strangers = {name.split(".")[0] for name in told["modules"]} - _ALLOWED
    if strangers:
        raise BundleError(f"inside the bundle, a query imports {', '.join(sorted(strangers))}")
    return Rehearsal(tuple(told["modules"]), told["import_ms"])


def check_modules(tree: Path, modules: tuple[str, ...]) -> None:
    """Check that the files of modules are there, without importing them.

    Raises:
        BundleError: a module is missing.
    """
    for module in modules:
        path = tree / module.replace(".", "/")
        if not (any(path.parent.glob(f"{path.name}.*")) or (path / "__init__.py").exists()):
            raise BundleError(f"the bundle lacks the module {module}, which a query needs")


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise BundleError(f"the bundle does not work. It printed:\n{done.stdout}{done.stderr}")
    return done.stdout
