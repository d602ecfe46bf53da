"""What this process weighs."""

import resource
import sys


def megabytes(field: str) -> float:
    """On Linux: VmRSS is what it has now, VmHWM the most it had."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in status if line.startswith(field))


def peak_mb() -> float:
    """The most it had. Not `ru_maxrss` on Linux: that begins at the most of the process that started this one."""
    if sys.platform == "linux":
        return megabytes("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
