"""Build the zip file for Lambda: the functions and everything they import, for one architecture.

    python scripts/bundle.py --arch arm64 --out dist/arm64.zip

Wheels are downloaded by the hashes in functions/requirements.txt and kept in .bundle_cache, so later builds need no
network. The same commit and the same Python give the same bytes. The file is written only if the bundle is within its
size budget and answers a query with nothing else on the path.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from zipfile import BadZipFile, ZipFile

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.bundling.application import add_application
from scripts.bundling.archive import check_budget
from scripts.bundling.checks import check_libraries, check_modules, rehearse
from scripts.bundling.dependencies import dependencies_archive
from scripts.bundling.interpreter import Interpreter, find_interpreter
from scripts.bundling.target import ARCHITECTURES, PYTHONS, ROOT, BundleError, Target, local_target
from scripts.cli.command import command_parser, run_command

CACHE = ROOT / ".bundle_cache"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parser().parse_args(arguments)

    def run() -> None:
        try:
            build(options.out, Target(options.arch, options.python))
        except BadZipFile as error:
            raise BundleError(f"{error}; delete {CACHE} and build again") from error

    return run_command(run, errors=(BundleError,), interrupted=f"interrupted; {options.out} is unchanged")


def build(out: Path, target: Target) -> None:
    """Build and check a bundle, and put it in its place only if every check passes.

    Raises:
        BundleError: the bundle cannot be built, or a check fails.
    """
    if out.is_dir():
        raise BundleError(f"{out} is a folder; give a file name, such as {out / 'bundle.zip'}")
    interpreter = find_interpreter(target.python)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".bundle-") as temporary:
        unfinished = Path(temporary, "bundle.zip")
        _assemble(unfinished, target, interpreter)
        unpacked, zipped = check_budget(unfinished)
        _check(unfinished, target, interpreter)
        unfinished.replace(out)
    print(f"{out}: {unpacked / 1e6:.1f} MB unpacked, {zipped / 1e6:.1f} MB zipped")


def _assemble(archive: Path, target: Target, interpreter: Interpreter) -> None:
    CACHE.mkdir(exist_ok=True)
    shutil.copyfile(dependencies_archive(target, interpreter, CACHE), archive)
    add_application(archive, interpreter)


def _check(archive: Path, target: Target, interpreter: Interpreter) -> None:
    """Check a bundle; print what was checked and what could not be."""
    tree = _unpacked(archive)
    count = check_libraries(tree, target)
    print(f"checked: {count} shared libraries are for {target.arch}, and none lacks a library it needs")
    if target.runs_here:
        rehearsal = rehearse(tree, interpreter)
        print(
            f"checked: with nothing else on the path, the handler indexed three photos and found each of them "
            f"(imports: {rehearsal.import_ms} ms)"
        )
        return
    local = local_target(target.python)
    if local is not None:
        # a bundle of the same lock, pruned by the same rules, for this machine
        twin = archive.with_name("twin.zip")
        _assemble(twin, local, interpreter)
        check_modules(tree, rehearse(_unpacked(twin), interpreter).modules)
        print(f"checked: the same bundle for {local.arch} answers, and this bundle has every module that one imported")
    print(f"not checked: an answer from this bundle itself, which runs on {target.arch} Linux only")


def _unpacked(archive: Path) -> Path:
    tree = archive.with_suffix("")
    with ZipFile(archive) as content:
        content.extractall(tree)
    return tree


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(__doc__)
    parser.add_argument(
        "--arch", choices=sorted(ARCHITECTURES), required=True, help="architecture of the Lambda functions"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the zip file to write")
    parser.add_argument(
        "--python", choices=PYTHONS, default=PYTHONS[-1], help="version of the Lambda runtime (default: %(default)s)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
