"""Serve the static page and the gallery's photos on this machine, as a bucket or CDN does in production."""

import json
from collections.abc import Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseServer
from urllib.parse import unquote, urlsplit

from embeddings.preprocess import FIRST_BYTES
from scripts.local.service import HOST

_PRODUCT_PAGE = Path(__file__).with_name("product.html")


def is_photo(file: Path) -> bool:
    """Tell whether a file is a photo that the index can have, by its content: the rebuild does not look at names."""
    try:
        with file.open("rb") as opened:
            return FIRST_BYTES.match(opened.read(12)) is not None
    except OSError:
        return False


def open_page_server(
    site: Path, gallery: Path, service_url: str, port: int, host: str = HOST, samples: Path | None = None
) -> ThreadingHTTPServer:
    """Listen on a port; `serve_forever` answers each request in its own thread.

    Args:
        site: the page's folder, served at `/`. `/product.html` is a shop's page with the widget.
        gallery: the folder of photos, served at `/gallery/`, whatever their names; its other files are not served.
        service_url: the address that the page's `config.js` gives instead of the one in the file.
        port: the port, or 0 for any free one.
        host: the address to listen on.
        samples: a folder of photos that visitors may try, served at `/samples/`; the page's `config.js` lists them.

    Raises:
        OSError: the port is in use.
    """
    return _Server((host, port), partial(_Handler, site.resolve(), gallery.resolve(), service_url, samples))


def config_js(service_url: str, samples: Sequence[str] = ()) -> bytes:
    """Return the page's `config.js` for a service at this address, and photos to try at these addresses."""
    lines = {"SERVICE_URL": service_url, **({"SAMPLES": samples} if samples else {})}
    return "".join(f"export const {name} = {json.dumps(value)};\n" for name, value in lines.items()).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64  # the page asks for seventeen photos at once

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: a browser may hang up in the middle of a photo."""


class _Handler(SimpleHTTPRequestHandler):
    def __init__(
        self,
        site: Path,
        gallery: Path,
        service_url: str,
        samples: Path | None,
        request: object,
        client: object,
        server: BaseServer,
    ):
        self._site, self._gallery, self._service_url, self._samples = site, gallery, service_url, samples
        super().__init__(request, client, server)  # type: ignore[arg-type]  # passed on unchanged

    def do_GET(self) -> None:
        """Send a file, or the page's configuration."""
        if urlsplit(self.path).path == "/config.js":
            self._send_config()
        else:
            super().do_GET()

    def translate_path(self, path: str) -> str:
        """Map a URL path to a file, and any path that must stay private to one that does not exist."""
        parts = unquote(urlsplit(path).path).split("/")[1:]
        nowhere = str(self._site / "404")
        if any(part in (".", "..") or "\\" in part or "\0" in part for part in parts) or "" in parts[:-1]:
            return nowhere
        if parts == [_PRODUCT_PAGE.name]:
            return str(_PRODUCT_PAGE)
        folder = {"gallery": self._gallery, "samples": self._samples}.get(parts[0])
        if folder:
            file = folder.joinpath(*parts[1:])
            return str(file) if is_photo(file) else nowhere
        return str(self._site.joinpath(*parts))

    def list_directory(self, path: object) -> None:  # noqa: ARG002 - the base class's
        """Refuse to list a folder."""
        self.send_error(404, "File not found")

    def end_headers(self) -> None:
        """Make browsers check their caches, because galleries change, and let any page load the widget."""
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def _send_config(self) -> None:
        names = sorted(file.name for file in self._samples.iterdir()) if self._samples else ()
        body = config_js(self._service_url, [f"samples/{name}" for name in names])
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
