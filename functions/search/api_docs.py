"""The documents the service shows about itself. They are read on request, so that a cold start does not wait."""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

_FOLDER = Path(__file__).parent


class Document(NamedTuple):
    """An answer that is not a value for JSON."""

    body: bytes
    headers: Mapping[str, str]


def openapi() -> Document:
    """Return the contract for programs."""
    return Document((_FOLDER / "openapi.json").read_bytes(), {"Content-Type": "application/json"})


def reference() -> Document:
    """Return the reference for people: the page that scripts/reference.py makes.

    Its policy, https://www.w3.org/TR/CSP3/, allows the page's own style and nothing else.
    """
    page = (_FOLDER / "reference.html").read_bytes()
    style = page.partition(b"<style>")[2].partition(b"</style>")[0]
    digest = b64encode(sha256(style).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return Document(page, {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy})
