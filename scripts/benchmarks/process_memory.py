"""The memory of this process."""

import resource
import sys


def resident_mb() -> float:
    """Return what the process holds now (Linux only)."""
    return _status_mb("VmRSS")


def peak_mb() -> float:
    """Return the most it has held.

    On Linux `ru_maxrss` is no use: it starts from the peak of the process that started this one.
    """
    if sys.platform == "linux":
        return _status_mb("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def _status_mb(field: str) -> float:
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in status if line.startswith(field))
