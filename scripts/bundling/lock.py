"""Read versions and hashes of packages from the functions' lock file."""

import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.bundling.target import BundleError, Target

try:
    from packaging.requirements import Requirement
except ModuleNotFoundError:
    raise SystemExit(
        f"error: {sys.executable} lacks the package packaging; run pip install -r functions/requirements.txt"
    ) from None


@dataclass(frozen=True)
class Locked:
    """A package as the lock pins it for one target."""

    name: str
    version: str
    hashes: frozenset[str]
    """SHA-256 of its files for all platforms, in hexadecimal."""

    def line(self) -> str:
        """Return its line in a requirements file."""
        return " ".join([f"{self.name}=={self.version}", *(f"--hash=sha256:{each}" for each in sorted(self.hashes))])


def read_lock(file: Path, names: tuple[str, ...], target: Target) -> list[Locked]:
    """Return the lock's entries for `names`, in the same order.

    Raises:
        BundleError: the lock lacks one of them.
    """
    # pip would evaluate the markers for its own interpreter instead of the target
    environment = {
        "python_version": target.python,
        "python_full_version": f"{target.python}.0",
        "implementation_name": "cpython",
        "platform_machine": target.architecture.machine,
        "platform_system": "Linux",
        "sys_platform": "linux",
    }
    found = {}
    for line in file.read_text().replace("\\\n", "").splitlines():
        if not line or line.startswith("#"):
            continue
        stated, *hashes = line.split("--hash=sha256:")
        requirement = Requirement(stated)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            (pin,) = requirement.specifier
            found[requirement.name] = Locked(requirement.name, pin.version, frozenset(map(str.strip, hashes)))
    missing = [name for name in names if name not in found]
    if missing:
        raise BundleError(f"{file} lacks {', '.join(missing)}; run make lock")
    return [found[name] for name in names]
