"""Serve the static page and a gallery's photos on this machine, as a bucket or CDN does in production."""

import json
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseServer
from urllib.parse import unquote, urlsplit

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def open_page_server(site: Path, gallery: Path, service_url: str, port: int) -> ThreadingHTTPServer:
    """Listen on 127.0.0.1; `serve_forever` answers, each request in a thread of its own.

    Args:
        site: folder of the page, served at `/`.
        gallery: folder whose photos, and nothing else, are served at `/gallery/`.
        service_url: what the page's `config.js` says, whatever the file says.
        port: 0 for any that is free.

    Raises:
        OSError: the port is in use.
    """
    return _Server(("127.0.0.1", port), partial(_Handler, site.resolve(), gallery.resolve(), service_url))


def config_js(service_url: str) -> bytes:
    """The page's `config.js`, for a service at this address."""
    return f"export const SERVICE_URL = {json.dumps(service_url)};\n".encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64  # a page asks for seventeen photos at once

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a browser that hangs up in the middle of a photo is no error of ours."""


class _Handler(SimpleHTTPRequestHandler):
    def __init__(
        self, site: Path, gallery: Path, service_url: str, request: object, client: object, server: BaseServer
    ):
        self._site, self._gallery, self._service_url = site, gallery, service_url
        super().__init__(request, client, server)  # type: ignore[arg-type]  # handed through as they came

    def do_GET(self) -> None:
        """Answer a file, or the page's configuration."""
        if urlsplit(self.path).path == "/config.js":
            self._send_config()
        else:
            super().do_GET()

    def translate_path(self, path: str) -> str:
        """Map a URL path to a file; what must not be seen becomes a file that does not exist."""
        parts = unquote(urlsplit(path).path).split("/")[1:]
        nowhere = str(self._site / "404")
        if any(part in (".", "..") or "\\" in part or "\0" in part for part in parts) or "" in parts[:-1]:
            return nowhere
        if parts[0] == "gallery":
            is_photo = parts[-1].lower().endswith(PHOTO_SUFFIXES)
            return str(self._gallery.joinpath(*parts[1:])) if is_photo else nowhere
        return str(self._site.joinpath(*parts))

    def list_directory(self, path: object) -> None:  # noqa: ARG002 - the base class's
        """Refuse: only files have addresses."""
        self.send_error(404, "File not found")

    def end_headers(self) -> None:
        """Let browsers keep nothing unchecked, as galleries change here, and let any page load the widget."""
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the terminal for what matters."""

    def _send_config(self) -> None:
        body = config_js(self._service_url)
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
