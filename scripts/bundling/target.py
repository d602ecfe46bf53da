"""What a bundle is built for."""

import platform
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.12", "3.13")
"""The Lambda runtimes for which the lock is made."""
TASK_ROOT = "/var/task"
"""Where Lambda unpacks a bundle."""


class BundleError(Exception):
    """The bundle cannot be built; the message says why and what to do."""


@dataclass(frozen=True)
class Architecture:
    """One processor architecture under the names that others give it."""

    machine: str
    """As in `uname -m` and in the names of wheels and extension modules."""
    elf: int
    """`e_machine` in the header of an ELF file."""


ARCHITECTURES = {"arm64": Architecture("aarch64", 183), "x86_64": Architecture("x86_64", 62)}
"""By Lambda's name."""


@dataclass(frozen=True)
class Target:
    """A Lambda runtime."""

    arch: str
    python: str
    """As in "3.13"."""

    @property
    def architecture(self) -> Architecture:
        """Other names of the architecture."""
        return ARCHITECTURES[self.arch]

    @property
    def runs_here(self) -> bool:
        """Whether this machine can load what is built for it."""
        return sys.platform == "linux" and platform.machine() == self.architecture.machine


def local_target(python: str) -> Target | None:
    """The target that this machine can run; None if it is none of Lambda's."""
    targets = [Target(arch, python) for arch in ARCHITECTURES]
    return next((target for target in targets if target.runs_here), None)
