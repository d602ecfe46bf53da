"""Serving the page on free ports, and what the tests know of it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from scripts.local_service import HOST
from scripts.page_server import open_page_server


@dataclass(frozen=True)
class Site:
    """Where everything is."""

    gallery: Path
    photos: list[Path]
    service_url: str
    page_url: str
    legacy_url: str


@dataclass(frozen=True)
class Seen:
    """What a page did besides what it shows."""

    console: list[str]
    requests: list[str]


@contextmanager
def serve_page(site: Path, gallery: Path, service_url: str, port: int) -> Iterator[str]:
    server = open_page_server(site, gallery, service_url, port)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def free_ports(count: int) -> list[int]:
    """Held together before any is given away, so that they differ."""
    sockets = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
