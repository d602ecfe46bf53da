"""Connections that storage closed while they were idle, as a frozen function finds them when it wakes up."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from embeddings.storage import reader as module
from embeddings.storage.reader import open_reader

CONNECTIONS = 4
"""More than the reader's tries, which it must not spend on one closed connection after another."""


class Handler(BaseHTTPRequestHandler):
    """Answers once on each connection, and closes it silently when it is used again."""

    protocol_version = "HTTP/1.1"
    all_at_once = threading.Barrier(CONNECTIONS)
    first = True

    def do_GET(self) -> None:
        if not self.first:
            self.close_connection = True
            return
        self.first = False
        if "together" in self.path:
            self.all_at_once.wait(5)
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.send_header("ETag", '"etag"')
        self.send_header("Last-Modified", "Mon, 02 Nov 2026 12:00:00 GMT")
        self.end_headers()
        self.wfile.write(b"photo")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_connections_that_were_idle_too_long_are_not_used_again(
    aws_keys: None, server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", server_url)
    monkeypatch.setattr(module, "_IDLE_SECONDS", 0.05)
    reader = open_reader("s3://bucket")
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        found = threads.map(lambda number: reader.get(f"together/{number}").data, range(CONNECTIONS))
        assert list(found) == [b"photo"] * CONNECTIONS
    time.sleep(0.1)
    assert reader.get("later").data == b"photo"
