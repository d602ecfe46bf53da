"""The body of a request: read as far as the request goes, and never left unread."""

from typing import TYPE_CHECKING

from functions.problems import RequestError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_CHUNK_BYTES = 65_536
_DISCARD_BYTES = 64_000_000


class Body:
    """A stream that ends where the body ends, which `wsgi.input` does not on every server."""

    def __init__(self, environ: "WSGIEnvironment") -> None:
        self._stream = environ["wsgi.input"]
        length = environ.get("CONTENT_LENGTH") or ""
        self.length: int | None = int(length) if length.isascii() and length.isdigit() else None
        """In bytes, as announced; None if the client does not say, as with chunks."""
        self._left = self.length
        if self.length is None and not environ.get("wsgi.input_terminated"):
            self._left = 0  # reading on would wait for bytes that never come

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer only at the end.

        Raises:
            RequestError: 400, the client broke off.
        """
        wanted = size if self._left is None else min(size, self._left)
        try:
            data: bytes = self._stream.read(wanted)
        except Exception as error:  # every server has its own ones for chunks that break off
            self._left = 0
            raise malformed("it broke off") from error
        if self._left is not None:
            self._left -= len(data)
        return data

    def discard(self) -> None:
        """Read what is left, within reason: a client still sending when the connection closes never sees the answer."""
        left = _DISCARD_BYTES
        try:
            while left > 0 and (chunk := self.read(_CHUNK_BYTES)):
                left -= len(chunk)
        except RequestError:
            pass  # nobody is there to see the answer


def malformed(reason: str) -> RequestError:
    """The error for a body that cannot be read."""
    return RequestError(400, "body-malformed", "The request cannot be read", f"The body is malformed: {reason}.")
