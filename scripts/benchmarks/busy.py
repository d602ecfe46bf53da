"""How busy other programs keep the machine. What is measured beside them is not quoted."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

MOST_OTHERS = 0.05
"""The share of all processors' time that other programs may take during a measurement that is quoted."""

_STAT = Path("/proc/stat")
_IDLE, _IO_WAIT, _GUEST = 3, 4, 8


@dataclass(frozen=True)
class Usage:
    """Processor time until now, in seconds."""

    total: float
    """Of all processors, at work or idle."""
    busy: float
    """At work, for anybody; time that a hypervisor gave to other machines counts."""
    own: float
    """At work for this process and its children that have ended."""

    @classmethod
    def now(cls) -> Self | None:
        """Look at the clocks; return None where the system has none (https://docs.kernel.org/filesystems/proc.html)."""
        if not _STAT.exists():
            return None
        tick = os.sysconf("SC_CLK_TCK")
        spent = [int(each) / tick for each in _STAT.read_text().split("\n", 1)[0].split()[1:][:_GUEST]]
        return cls(sum(spent), sum(spent) - spent[_IDLE] - spent[_IO_WAIT], sum(os.times()[:4]))


def others_share(before: Usage | None, after: Usage | None) -> float | None:
    """Return the share of all processors' time that other programs took, 0-1; None if it is not known."""
    if before is None or after is None or after.total == before.total:
        return None
    others = (after.busy - before.busy) - (after.own - before.own)
    return min(1.0, max(0.0, others / (after.total - before.total)))


def is_busy(others: float | None) -> bool:
    """Say whether a measurement beside such other programs must not be quoted."""
    return others is not None and others > MOST_OTHERS
