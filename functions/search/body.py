"""The body of a request: read up to a limit of bytes and of time, and never left unread."""

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
"""How long a body may take that a route reads: a client that sends slowly holds one of the server's threads."""
HURRY_SECONDS = 2.0
"""How long any other body may take, so that threads stay free for refusing."""


class BodyTooLargeError(Exception):
    """The body is larger than its limit."""


class Body:
    """A stream that ends where the body ends, which `wsgi.input` does not on every server."""

    def __init__(self, environ: "WSGIEnvironment") -> None:
        self._stream = environ["wsgi.input"]
        length = environ.get("CONTENT_LENGTH") or ""
        self.length: int | None = int(length) if _LENGTH.fullmatch(length) else None
        """In bytes, as the client gives it; None if it does not, as with chunks."""
        self._end = self.length
        if self._end is None and not environ.get("wsgi.input_terminated"):
            self._end = 0  # this stream never ends: reading it would wait for bytes that never come
        self._limit = _DISCARD_BYTES
        self._taken = 0
        # Only gunicorn, the server of functions-framework, shows it; gateways collect a body before they hand it on.
        self._socket: socket.socket | None = environ.get("gunicorn.socket")
        self._seconds = HURRY_SECONDS
        self._clock: threading.Timer | None = None
        self._late = False

    def expect(self, size: int) -> None:
        """Allow up to `size` bytes, and `UPLOAD_SECONDS` in place of `HURRY_SECONDS`.

        A larger body is refused here if it gives its length, else in `read`.

        Raises:
            BodyTooLargeError: the length it gives is larger.
        """
        if self.length is not None and self.length > size:
            raise BodyTooLargeError
        self._limit = size
        self._seconds = UPLOAD_SECONDS

    def read(self, size: int) -> bytes:
        """Read up to `size` bytes; fewer only at the end.

        Raises:
            BodyTooLargeError: it goes on beyond its limit.
            RequestError: 400, the client broke off or is too slow.
        """
        left = size if self._end is None else min(size, self._end - self._taken)
        if self._clock is None and self._socket is not None and left:
            self._clock = threading.Timer(self._seconds, self._cut, [self._socket])
            self._clock.daemon = True
            self._clock.start()
        try:
            data: bytes = self._stream.read(left)
        except Exception as error:  # each server raises its own when chunks break off
            self._end = self._taken
            raise malformed("it ended too soon") from error
        if self._late:
            self._end = self._taken
            raise malformed(f"it had not arrived after {self._seconds:g} seconds; send a smaller photo")
        self._taken += len(data)
        if self._taken > self._limit:
            raise BodyTooLargeError
        return data

    def discard(self) -> None:
        """Read what is left, within reason.

        A client that is still sending when the server closes the connection never sees the answer.
        """
        self._limit = self._taken + _DISCARD_BYTES
        with suppress(BodyTooLargeError, RequestError):  # the answer is made already
            while self.read(_CHUNK_BYTES):
                pass
        if self._clock is not None:
            self._clock.cancel()

    def _cut(self, connection: "socket.socket") -> None:
        """End a read that waits; the answer can still be sent."""
        from socket import SHUT_RD  # not at the top: on Lambda nothing is ever cut, and a start would pay 3 ms

        self._late = True
        with suppress(OSError):  # it is closed already
            connection.shutdown(SHUT_RD)


def malformed(reason: str) -> RequestError:
    """Return the error for a body that cannot be read."""
    return RequestError(400, "body-malformed", "The request cannot be read", f"The body is malformed: {reason}.")
