"""Sending the answer, as far as a server shows the connection: who does not read holds one of its threads."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

SENDING_SECONDS = 10.0
"""After which an answer must be on its way. Each of ours fits into the buffers between, unless others fill them."""


def cut_unless_sent(connection: socket.socket) -> Callable[[], None]:
    """End the connection after `SENDING_SECONDS`, unless what is returned is called before."""
    clock = threading.Timer(SENDING_SECONDS, _cut, [connection])
    clock.daemon = True
    clock.start()
    return clock.cancel


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):  # closed meanwhile
        connection.shutdown(socket.SHUT_RDWR)
