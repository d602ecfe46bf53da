"""Upload the static page, set up for your service.

    python scripts/deploy_page.py --service https://abc.execute-api.eu-west-1.amazonaws.com --to s3://my-shop-page
    python scripts/deploy_page.py --service https://search-xyz.a.run.app --to gs://my-shop-page
    python scripts/deploy_page.py --service https://search.example.com --to public/    # a folder, for another host

It uses the credentials of the AWS and Google command lines. The service must allow the page's origin (CORS_ORIGINS).
"""

import argparse
import sys
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from embeddings.storage.writers import open_writer
from scripts.cli.command import command_parser, run_command
from scripts.local.page import config_js

SITE = Path(__file__).resolve().parent.parent / "site"

_CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

# The files are small: let browsers check them each time, so that none is stale.
_CACHE_CONTROL = "no-cache"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parser().parse_args(arguments)

    def run() -> None:
        count = deploy_page(options.service, options.to)
        print(f"uploaded {count} files to {options.to}; the page searches through {options.service}")

    return run_command(run, interrupted="interrupted; some files may be missing, so run it again")


def deploy_page(service_url: str, target: str) -> int:
    """Write every file of the page, and `index.html` last so that it never refers to a missing file.

    Args:
        service_url: address of the deployed service, without a slash at the end.
        target: URI of a bucket or a folder.

    Returns:
        The number of files.

    Raises:
        StorageUriError, StorageError: some files may be missing; run it again.
    """
    files = {path.name: path.read_bytes() for path in SITE.iterdir() if path.suffix in _CONTENT_TYPES}
    files["config.js"] = config_js(service_url)
    writer = open_writer(target)
    for name in sorted(files, key=lambda name: (name == "index.html", name)):
        content_type = _CONTENT_TYPES[Path(name).suffix]
        writer.put(name, files[name], content_type=content_type, cache_control=_CACHE_CONTROL)
    return len(files)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(__doc__)
    parser.add_argument("--service", type=_service_url, required=True, metavar="URL", help="address of the service")
    parser.add_argument("--to", required=True, metavar="URI", help="s3://bucket, gs://bucket or a folder")
    return parser


def _service_url(text: str) -> str:
    parts = urlsplit(text)
    try:
        port_fits = parts.port != 0
    except ValueError:
        port_fits = False
    if parts.scheme not in ("https", "http") or not parts.hostname or not port_fits or parts.query or parts.fragment:
        raise argparse.ArgumentTypeError(f"{text!r} is not an address like https://search.example.com")
    if "/v1" in parts.path:
        raise argparse.ArgumentTypeError(f"{text!r} is a route of the service; leave out /v1 and what follows")
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1"):
        raise argparse.ArgumentTypeError(
            f"{text!r} must start with https://: browsers block http:// requests from an https:// page"
        )
    return text.rstrip("/")


if __name__ == "__main__":
    sys.exit(main())
