"""How long the steps of a request took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Timing:
    """Milliseconds by step; a step that is entered twice adds up."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self.steps: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a block under `name`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.steps[name] = self.steps.get(name, 0.0) + (time.perf_counter() - started) * 1e3

    def milliseconds(self) -> dict[str, float]:
        """The steps and the total so far."""
        total = (time.perf_counter() - self._started) * 1e3
        return {name: round(spent, 2) for name, spent in [*self.steps.items(), ("total", total)]}

    def header(self) -> str:
        """For Server-Timing, https://www.w3.org/TR/server-timing/."""
        return ", ".join(f"{name};dur={spent}" for name, spent in self.milliseconds().items())
