"""How much one process takes on at once: what comes beyond is refused at once, rather than everybody waiting."""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from functions.search.problems import RequestError
from functions.search.request import Request

_RETRY_SECONDS = "1"


class Gate:
    """Lets so many requests in at a time."""

    def __init__(self, most: int) -> None:
        self._free = threading.Semaphore(most)

    @contextmanager
    def admit(self, request: Request) -> Iterator[None]:
        """Hold a place for the block, and until the body is there: who sends slowly must not hold a thread beside it.

        Raises:
            RequestError: 503, all are taken.
        """
        if not self._free.acquire(blocking=False):
            request.body.hurry()  # the thread is needed to refuse others
            detail = "The service is at work on as many requests as it takes at once. Try again in a second."
            raise RequestError(503, "busy", "Too busy", detail, {"Retry-After": _RETRY_SECONDS})
        try:
            yield
        finally:
            request.body.discard()
            self._free.release()


def most_requests(environment: Mapping[str, str]) -> int:
    """How many this process should take: fewer than its server has threads, so that some are left to refuse the rest.

    Of functions-framework's server, three quarters of `THREADS`. A Lambda has one request at a time, and its gateway
    refuses.
    """
    # https://github.com/GoogleCloudPlatform/functions-framework-python: without THREADS four a core
    threads = int(environment.get("THREADS") or 4 * (os.cpu_count() or 1))
    return max(1, threads * 3 // 4)
