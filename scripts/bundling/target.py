"""The Lambda runtimes that a bundle can be built for."""

import platform
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.12", "3.13")
"""Versions of the Lambda runtimes that the lock covers."""
TASK_ROOT = "/var/task"
"""Where Lambda unpacks a bundle."""


class BundleError(Exception):
    """The bundle cannot be built; the message says why and what to do."""


@dataclass(frozen=True)
class Architecture:
    """A processor architecture under the names that other programs use."""

    machine: str
    """The name in `uname -m`, wheels and extension modules."""
    elf: int
    """`e_machine` in the header of an ELF file."""


ARCHITECTURES = {"arm64": Architecture("aarch64", 183), "x86_64": Architecture("x86_64", 62)}
"""Architectures by Lambda's name."""


@dataclass(frozen=True)
class Target:
    """A Lambda runtime on one architecture."""

    arch: str
    """A key of ARCHITECTURES."""
    python: str
    """A version like "3.13"."""

    @property
    def architecture(self) -> Architecture:
        """Other names of the architecture."""
        return ARCHITECTURES[self.arch]

    @property
    def runs_here(self) -> bool:
        """Whether this machine can run a bundle for it."""
        return sys.platform == "linux" and platform.machine() == self.architecture.machine


def local_target(python: str) -> Target | None:
    """Return the target that this machine can run, or None if Lambda has none like it."""
    targets = [Target(arch, python) for arch in ARCHITECTURES]
    return next((target for target in targets if target.runs_here), None)
