"""Serves folders as a bucket `bench` the way object stores do: 25 ms to the first byte, 80 MB/s a connection.

For reading only, and only as far as this project's reader asks: GET, with a range or If-None-Match, path-style. moto
copies the whole object for every range of it, so that an index of a million rows would take minutes.
"""

import json
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

FIRST_BYTE_SECONDS = 0.025
BYTES_A_SECOND = 80e6
_CHUNK = 1 << 20

folders = json.loads(sys.argv[1])["folders"]


class Handler(BaseHTTPRequestHandler):
    """Answers GET."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Send an object or a range of it, no faster than an object store would."""
        began = time.monotonic() + FIRST_BYTE_SECONDS
        _, _, prefix, path = unquote(urlsplit(self.path).path).split("/", 3)
        file = Path(folders[prefix], path)
        if not file.is_file():
            self._answer(404, 0)
            return
        size = file.stat().st_size
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        start, stop = (int(asked[1]), min(int(asked[2]) + 1, size)) if asked else (0, size)
        time.sleep(max(0, began - time.monotonic()))
        self._answer(206 if asked else 200, stop - start, f"bytes {start}-{stop - 1}/{size}" if asked else "")
        with file.open("rb") as content:
            content.seek(start)
            sent = 0
            while sent < stop - start:
                self.wfile.write(content.read(min(_CHUNK, stop - start - sent)))
                sent += _CHUNK
                time.sleep(max(0, began + sent / BYTES_A_SECOND - time.monotonic()))

    def _answer(self, status: int, length: int, content_range: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("ETag", '"one"')
        self.send_header("Last-Modified", "Mon, 02 Nov 2026 00:00:00 GMT")
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """No line a request."""


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
Thread(target=server.serve_forever, daemon=True).start()
print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
sys.stdin.read()
