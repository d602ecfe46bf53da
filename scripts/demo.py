"""Try the search on this machine, with the functions on one port and the page and photos on another.

    python scripts/demo.py                                # a drawn gallery
    python scripts/demo.py --gallery ~/photos             # your own photos
    python scripts/demo.py --gallery clothing-dataset     # 5,000 real photos, downloaded once
    python scripts/demo.py --port 8081 --page-port 8001
    python scripts/demo.py --host 192.168.1.20            # open to your network, to try a phone
    python scripts/demo.py --cors "*"                     # let pages of other origins call the service

`make demo` installs what this needs and runs it.
"""

import argparse
import errno
import hashlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from embeddings.errors import GarmentSearchError
from functions.settings import SearchSettings, SettingsError
from scripts.cli.command import FAILED, command_parser, run_command
from scripts.drawing.feed import write_feed
from scripts.drawn_gallery import draw_gallery
from scripts.local.clothing_dataset import FetchError, fetch_clothing_dataset
from scripts.local.indexing import index_photos
from scripts.local.page import is_photo, open_page_server
from scripts.local.samples import draw_samples
from scripts.local.service import HOST, ROOT, ServiceStartError, last_line, serve_functions
from scripts.reporting.rebuild_summary import summary_text

DRAWN_COUNT = 300


class DemoError(Exception):
    """The demo cannot run; the message says why and what to do."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command until Ctrl-C; return its exit code."""
    options = _options(arguments)
    # A closing terminal or a supervisor stops the demo as cleanly as Ctrl-C. SIGINT needs its handler again: a script's
    # background commands start with that signal ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    return run_command(lambda: _until_stopped(options))


def _until_stopped(options: argparse.Namespace) -> int:
    try:
        _run(options)
    except KeyboardInterrupt:  # the normal way to end a demo
        print("\nStopped.")
    except (DemoError, FetchError, ServiceStartError, GarmentSearchError, SettingsError) as error:
        print(f"demo: {error}", file=sys.stderr)  # among make's own lines, `error:` would not name its source
        return FAILED
    return 0


def _run(options: argparse.Namespace) -> None:
    host = options.host
    for port, name in ((options.port, "PORT"), (options.page_port, "PAGE_PORT")):
        _check_port(host, port, name)
    gallery = _gallery(options.gallery, options.work)
    index = index_folder(gallery, options.work)
    service_url, page_url = f"http://{host}:{options.port}", f"http://{host}:{options.page_port}"
    origins = [page_url, f"http://localhost:{options.page_port}", options.cors]
    settings = {
        "INDEX_URI": str(index),
        "GALLERY_URI": str(gallery),
        "IMAGE_BASE_URL": f"{page_url}/gallery",
        "CORS_ORIGINS": "*" if options.cors == "*" else ",".join(filter(None, origins)),
    }
    SearchSettings.read(settings)  # a wrong origin fails now, and not in the service's log
    print(f"Indexing {_short(gallery)} (after the first time, only changes) ...", flush=True)
    print(summary_text(index_photos(gallery, index)), flush=True)
    log = options.work / "service.log"
    with (
        _page(gallery, service_url, host, options),
        serve_functions(options.port, settings, log, host) as service,
    ):
        print(f"\n    Open {page_url}\n", flush=True)
        print(f"Widget: {page_url}/product.html", flush=True)
        print(f"Service: {service_url}   API: {service_url}/docs   Log: {_short(log)}   Stop both: Ctrl-C", flush=True)
        service.wait()
        raise DemoError(f"the service stopped unexpectedly; its log ends with: {last_line(log)}")


def _check_port(host: str, port: int, name: str) -> None:
    """Fail early, before the gallery is indexed."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise DemoError(f"port {port} is in use; choose another, for example {name}={port + 10}") from error
            raise DemoError(f"cannot listen on {host}, port {port}: {error.strerror}") from error


def _gallery(choice: str | None, work: Path) -> Path:
    """Return the folder of photos: the user's own, the public dataset, or drawn garments."""
    if choice == "clothing-dataset":
        gallery = work / "clothing-dataset"
        fetch_clothing_dataset(gallery)
    elif choice:
        gallery = Path(choice).expanduser().resolve()
        if not gallery.is_dir():
            raise DemoError(f"there is no folder {gallery}")
    else:
        gallery = work / "gallery"
        write_feed(gallery, draw_gallery(gallery, DRAWN_COUNT))
    if not any(map(is_photo, gallery.rglob("*"))):
        raise DemoError(f"there is no photo in {gallery}; it needs JPEG, PNG or WebP files")
    return gallery


def index_folder(gallery: Path, work: Path) -> Path:
    """Return the index of a gallery, the same one at each start."""
    mark = hashlib.sha256(str(gallery).encode()).hexdigest()[:8]
    return work / "indexes" / f"{gallery.name}-{mark}"


@contextmanager
def _page(gallery: Path, service_url: str, host: str, options: argparse.Namespace) -> Iterator[None]:
    samples = None if options.gallery else options.work / "samples"  # drawn ones fit a drawn gallery
    if samples:
        draw_samples(samples)
    server = open_page_server(ROOT / "site", gallery, service_url, options.page_port, host, samples)
    thread = Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text} is not a port; use a number from 1 to 65535")
    return int(text)


def _host(text: str) -> str:
    if text in ("", "0.0.0.0") or ":" in text:  # noqa: S104 - it is refused
        raise argparse.ArgumentTypeError(
            f"{text!r} does not work in an address of the page; give one that others use for this machine, "
            "such as 192.168.1.20"
        )
    return text


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = command_parser(__doc__, {0: "stopped with Ctrl-C"})
    parser.add_argument("--gallery", help="a folder of photos, or clothing-dataset (default: drawn garments)")
    parser.add_argument("--port", type=_port, default=8080, help="the service's port (default: 8080)")
    parser.add_argument("--page-port", type=_port, default=8000, help="the page's port (default: 8000)")
    parser.add_argument(
        "--host",
        type=_host,
        default=HOST,
        help="address of this machine to listen on (default: 127.0.0.1, for this machine alone)",
    )
    parser.add_argument(
        "--cors",
        metavar="ORIGINS",
        default=os.environ.get("CORS_ORIGINS", ""),
        help="further origins whose pages may call the service, or * for all (default: the variable CORS_ORIGINS)",
    )
    parser.add_argument(
        "--work", type=Path, default=ROOT / ".demo", help="folder for everything that is made (default: .demo)"
    )
    options = parser.parse_args(arguments)
    if options.port == options.page_port:
        parser.error("the service and the page need different ports")
    options.work = options.work.resolve()
    return options


if __name__ == "__main__":
    sys.exit(main())
