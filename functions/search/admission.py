"""A limit on the requests at work in one process: those beyond it are refused at once rather than made to wait."""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from functions.search.problems import RequestError

_RETRY_SECONDS = "1"


class Gate:
    """Admits at most `most` requests at once."""

    def __init__(self, most: int) -> None:
        self._free = threading.Semaphore(most)

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Hold a place for the block.

        Raises:
            RequestError: 503, every place is taken.
        """
        if not self._free.acquire(blocking=False):
            detail = "The service is handling as many requests as it can. Try again in a second."
            raise RequestError(503, "busy", "Too busy", detail, {"Retry-After": _RETRY_SECONDS})
        try:
            yield
        finally:
            self._free.release()


def most_requests(environment: Mapping[str, str]) -> int:
    """Return how many requests this process should take at once: three quarters of its server's threads.

    The remaining threads of functions-framework's server refuse what is too much. A Lambda function has one request at
    a time, and its gateway refuses the others.
    """
    # Without THREADS it starts four per core: https://github.com/GoogleCloudPlatform/functions-framework-python
    threads = int(environment.get("THREADS") or 4 * (os.cpu_count() or 1))
    return max(1, threads * 3 // 4)
