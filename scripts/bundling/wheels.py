"""Fetch wheels for a machine other than this one, and keep them for the next build."""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.bundling.lock import Locked
from scripts.bundling.target import BundleError, Target

# Lambda's Amazon Linux 2023 has glibc 2.34; the tag of a wheel names the oldest glibc it runs on.
_GLIBC_MINORS = range(34, 16, -1)


class FetchError(BundleError):
    """The package registry cannot be reached, or lacks a file that the lock names."""


def fetch_wheels(locked: list[Locked], target: Target, cache: Path) -> list[Path]:
    """Return the wheel of each package, in the same order; download those that `cache` lacks into it.

    Only the hash identifies a wheel. A damaged one, or one of another version, counts as missing.

    Raises:
        FetchError: a wheel is neither in the cache nor in the registry.
    """
    folder = cache / f"wheels-{target.arch}-{target.python}"
    missing = [each for each, wheel in zip(locked, _cached(locked, folder), strict=True) if wheel is None]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            _download(missing, target, Path(temporary))
            for wheel in Path(temporary).glob("*.whl"):
                wheel.replace(folder / wheel.name)
    wheels = [wheel for wheel in _cached(locked, folder) if wheel is not None]
    if len(wheels) < len(locked):
        raise FetchError(f"{folder} changed during the build; build again")
    return wheels


def _cached(locked: list[Locked], folder: Path) -> list[Path | None]:
    wheels = {hashlib.sha256(wheel.read_bytes()).hexdigest(): wheel for wheel in sorted(folder.glob("*.whl"))}
    return [next((wheels[each] for each in distribution.hashes if each in wheels), None) for distribution in locked]


def _download(locked: list[Locked], target: Target, folder: Path) -> None:
    requirements = folder / "requirements.txt"
    requirements.write_text("".join(f"{each.line()}\n" for each in locked))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--require-hashes", "--no-deps", "--only-binary=:all:", "--requirement", str(requirements)]
    command += ["--implementation", "cp", "--python-version", target.python, "--dest", str(folder)]
    for minor in _GLIBC_MINORS:
        command += ["--platform", f"manylinux_2_{minor}_{target.architecture.machine}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - pip
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        said = "\n".join(errors or done.stderr.splitlines()[-1:])
        names = ", ".join(f"{each.name} {each.version}" for each in locked)
        raise FetchError(
            f"cannot fetch {names} for {target.arch}, Python {target.python}. pip says:\n{said}\n"
            f"The first build for an architecture needs a package registry; later builds use {folder.parent}."
        )
