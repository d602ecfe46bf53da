"""Versions and hashes of what goes into a bundle, from the functions' lock file."""

import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.bundling.target import BundleError, Target

try:
    from packaging.requirements import Requirement
except ModuleNotFoundError:
    raise SystemExit(
        f"error: {sys.executable} lacks what this needs: pip install -r functions/requirements.txt"
    ) from None


@dataclass(frozen=True)
class Locked:
    """One distribution, as the lock has it for one target."""

    name: str
    version: str
    hashes: frozenset[str]
    """SHA-256 of each of its files, for whatever platform, in hexadecimal."""

    def line(self) -> str:
        """As a requirements file for pip states it."""
        return " ".join([f"{self.name}=={self.version}", *(f"--hash=sha256:{each}" for each in sorted(self.hashes))])


def read_lock(file: Path, names: tuple[str, ...], target: Target) -> list[Locked]:
    """The lock's entries for `names`, in their order.

    Raises:
        BundleError: one of them is missing.
    """
    # pip would evaluate the markers for the interpreter that runs it, not for the target.
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
        raise BundleError(f"{file} does not have {', '.join(missing)}; write it anew with make lock")
    return [found[name] for name in names]
