"""The body of a request: read as far as the request goes, and never left unread."""

import re
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from functions.search.problems import RequestError

if TYPE_CHECKING:
    import socket

    from _typeshed.wsgi import WSGIEnvironment

_LENGTH = re.compile("[0-9]{1,18}")
_CHUNK_BYTES = 65_536
_DISCARD_BYTES = 64_000_000
UPLOAD_SECONDS = 60.0
"""After which a body must be there: who sends slowly holds one of the server's threads."""
HURRY_SECONDS = 2.0


class Body:
    """A stream that ends where the body ends, which `wsgi.input` does not on every server."""

    def __init__(self, environ: "WSGIEnvironment") -> None:
        self._stream = environ["wsgi.input"]
        length = environ.get("CONTENT_LENGTH") or ""
        self.length: int | None = int(length) if _LENGTH.fullmatch(length) else None
        """In bytes, as announced; None if the client does not say, as with chunks."""
        self._left = self.length
        # Only gunicorn, the server of functions-framework, shows it; gateways collect a body before they hand it on.
        self._socket: socket.socket | None = environ.get("gunicorn.socket")
        self._seconds = UPLOAD_SECONDS
        self._clock: threading.Timer | None = None
        self._late = False
        if self.length is None and not environ.get("wsgi.input_terminated"):
            self._left = 0  # reading on would wait for bytes that never come

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer only at the end.

        Raises:
            RequestError: 400, the client broke off or is too slow.
        """
        if self._clock is None and self._socket is not None and self._left != 0:
            self._clock = threading.Timer(self._seconds, self._cut, [self._socket])
            self._clock.daemon = True
            self._clock.start()
        wanted = size if self._left is None else min(size, self._left)
        try:
            data: bytes = self._stream.read(wanted)
        except Exception as error:  # every server has its own ones for chunks that break off
            self._left = 0
            raise malformed("it broke off") from error
        if self._late:
            self._left = 0
            raise malformed(f"it was not there after {self._seconds:g} seconds; send the photo smaller")
        if self._left is not None:
            self._left -= len(data)
        return data

    def discard(self) -> None:
        """Read what is left, within reason: a client still sending when the connection closes never sees the answer.

        After that there is nothing left to read.
        """
        left = _DISCARD_BYTES
        try:
            while left > 0 and (chunk := self.read(_CHUNK_BYTES)):
                left -= len(chunk)
        except RequestError:
            pass  # nobody is there to see the answer
        finally:
            self._stop_clock()
            self._left = 0

    def hurry(self) -> None:
        """Give what is still to be read two seconds."""
        self._stop_clock()
        self._seconds = HURRY_SECONDS

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _cut(self, connection: "socket.socket") -> None:
        """End the waiting of a read; the answer can still be sent."""
        from socket import SHUT_RD  # not at the top: on Lambda nothing is ever cut, and a start would pay 3 ms

        self._late = True
        with suppress(OSError):  # closed meanwhile
            connection.shutdown(SHUT_RD)


def malformed(reason: str) -> RequestError:
    """The error for a body that cannot be read."""
    return RequestError(400, "body-malformed", "The request cannot be read", f"The body is malformed: {reason}.")
