"""Prune, compile and zip the packages that the functions need, once for each version of the lock."""

import hashlib
import sys
import tempfile
import zlib
from pathlib import Path
from zipfile import ZipFile, is_zipfile

from scripts.bundling.archive import add_folder
from scripts.bundling.interpreter import Interpreter
from scripts.bundling.lock import Locked, read_lock
from scripts.bundling.prune import is_needed, shrink
from scripts.bundling.target import ROOT, Target
from scripts.bundling.wheels import fetch_wheels

# The packages that the Lambda handlers import, directly or not. functions/requirements.txt has more, for Google's
# framework and the command line. The re-index functions also use boto3, which Lambda's Python runtimes include.
DISTRIBUTIONS = {
    "ai-edge-litert": "ai_edge_litert",
    "apig-wsgi": "apig_wsgi",
    "defusedxml": "defusedxml",
    "multipart": "multipart",
    "numpy": "numpy",
    "obstore": "obstore",
    "pillow": "PIL",
    "simsimd": "simsimd",
}
"""Import names by the name in the lock."""


def dependencies_archive(target: Target, interpreter: Interpreter, cache: Path) -> Path:
    """Return a zip file of the packages; build it again only after the lock, the rules or the tools have changed.

    Raises:
        BundleError: a wheel cannot be fetched, or does not compile.
    """
    locked = read_lock(ROOT / "functions" / "requirements.txt", tuple(DISTRIBUTIONS), target)
    name = f"dependencies-{target.arch}-{target.python}"
    archive = cache / f"{name}-{_key(locked, interpreter)}.zip"
    if not is_zipfile(archive):  # missing or incomplete
        wheels = fetch_wheels(locked, target, cache)
        with tempfile.TemporaryDirectory(dir=cache) as temporary:
            tree, unfinished = Path(temporary, "tree"), Path(temporary, "zip")
            _unpack(wheels, tree)
            interpreter.compile_modules(tree)
            add_folder(tree, unfinished)
            unfinished.replace(archive)
        for other in cache.glob(f"{name}-*.zip"):
            if other != archive:  # another build may be reading this one, which it would also have made
                other.unlink(missing_ok=True)
    return archive


def _unpack(wheels: list[Path], tree: Path) -> None:
    for wheel in wheels:
        with ZipFile(wheel) as archive:
            archive.extractall(tree, [name for name in archive.namelist() if is_needed(name)])
    shrink(tree)


def _key(locked: list[Locked], interpreter: Interpreter) -> str:
    """Hash everything but the target that the bytes of the archive depend on."""
    rules = [file.read_text() for file in sorted(Path(__file__).parent.glob("*.py"))]
    tools = [interpreter.version, sys.version, zlib.ZLIB_RUNTIME_VERSION]
    return hashlib.sha256(repr([*(each.line() for each in locked), *rules, *tools]).encode()).hexdigest()[:16]
