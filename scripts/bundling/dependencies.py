"""The part of a bundle that is not ours: pruned, compiled and zipped once for a lock, then kept."""

import hashlib
import sys
import tempfile
import zlib
from pathlib import Path
from zipfile import ZipFile, is_zipfile

from scripts.bundling.archive import add_folder
from scripts.bundling.interpreter import Interpreter
from scripts.bundling.lock import Locked, read_lock
from scripts.bundling.prune import is_needed, unused_libraries
from scripts.bundling.target import ROOT, Target
from scripts.bundling.wheels import fetch_wheels

# What the Lambda handlers import, directly or not. functions/requirements.txt has more, for Google's framework and for
# the command line. boto3, which the re-index functions use for S3, is part of Lambda's Python runtimes.
DISTRIBUTIONS = {
    "ai-edge-litert": "ai_edge_litert",
    "apig-wsgi": "apig_wsgi",
    "multipart": "multipart",
    "numpy": "numpy",
    "obstore": "obstore",
    "pillow": "PIL",
}
"""Names of what is imported, by the name in the lock."""


def dependencies_archive(target: Target, interpreter: Interpreter, cache: Path) -> Path:
    """A zip file with what the application imports; made anew when the lock, the rules or the tools have changed.

    Raises:
        BundleError: a wheel cannot be fetched, or does not compile.
    """
    locked = read_lock(ROOT / "functions" / "requirements.txt", tuple(DISTRIBUTIONS), target)
    name = f"dependencies-{target.arch}-{target.python}"
    archive = cache / f"{name}-{_key(locked, interpreter)}.zip"
    if not is_zipfile(archive):  # missing, or cut short
        wheels = fetch_wheels(locked, target, cache)
        with tempfile.TemporaryDirectory(dir=cache) as temporary:
            tree, unfinished = Path(temporary, "tree"), Path(temporary, "zip")
            _unpack(wheels, tree)
            interpreter.compile_modules(tree)
            add_folder(tree, unfinished)
            unfinished.replace(archive)
        for other in cache.glob(f"{name}-*.zip"):
            if other != archive:  # which another build may have put there too, and be reading
                other.unlink(missing_ok=True)
    return archive


def _unpack(wheels: list[Path], tree: Path) -> None:
    for wheel in wheels:
        with ZipFile(wheel) as archive:
            archive.extractall(tree, [name for name in archive.namelist() if is_needed(name)])
    for library in unused_libraries(tree):
        library.unlink()


def _key(locked: list[Locked], interpreter: Interpreter) -> str:
    """Of everything that the bytes of the archive depend on, beside the target."""
    rules = [file.read_text() for file in sorted(Path(__file__).parent.glob("*.py"))]
    tools = [interpreter.version, sys.version, zlib.ZLIB_RUNTIME_VERSION]
    return hashlib.sha256(repr([*(each.line() for each in locked), *rules, *tools]).encode()).hexdigest()[:16]
