"""The real server and a small gallery in a folder."""

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from embeddings.rebuild import rebuild
from scripts.local.service import serve_functions
from tests.functions.http_client import Client
from tests.photos import photo

MODEL = Path(__file__).parents[1] / "models" / "float32.tflite"
IMAGE_BASE = "https://images.example/shop"

_SHADES = ("20", "50", "80", "b0", "e0")


def gallery_photos() -> dict[str, bytes]:
    """Draw 35 garments; `coats/` holds the same photo three times."""
    photos = {}
    for folder, pattern in (("shirts", "{0}0000"), ("skirts", "00{0}00"), ("shoes/summer", "0000{0}")):
        for shade in _SHADES:
            photos[f"{folder}/{shade}.jpg"] = photo("#" + pattern.format(shade))
            photos[f"{folder}/wide {shade}+.png"] = photo("#" + pattern.format(shade), (400, 200), "PNG")
    for number in range(3):
        photos[f"coats/{number}.jpg"] = photo("#606060")
    photos["hüte/grün & 50%.webp"] = photo("#10e010", (200, 200), "WEBP")
    photos["shirtsleeves.jpg"] = photo("#e0e000")
    return photos


def write_gallery(folder: Path, photos: dict[str, bytes]) -> Path:
    for key, content in photos.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@dataclass(frozen=True)
class Service(Client):
    """A running server: ask it over HTTP, read what it logged."""

    port: int
    pid: int
    log: Path

    def records(self, request_id: str = "") -> list[dict[str, Any]]:
        # LiteRT writes its own line to standard error.
        lines = [json.loads(line) for line in self.log.read_text().split("\n") if line.startswith("{")]
        return [each for each in lines if not request_id or each.get("request_id") == request_id]


@contextmanager
def serve(log: Path, **settings: str) -> Iterator[Service]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    # The same on every machine: the service takes three quarters of them as requests at once.
    with serve_functions(port, {"THREADS": "16", **settings}, log) as process:
        yield Service(port, process.pid, log)


@pytest.fixture(scope="session")
def photos() -> dict[str, bytes]:
    return gallery_photos()


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory, photos: dict[str, bytes]) -> Path:
    return write_gallery(tmp_path_factory.mktemp("gallery"), photos)


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory, gallery: Path) -> Path:
    """No test may change it; copy it to change it."""
    folder = tmp_path_factory.mktemp("index")
    rebuild(str(gallery), str(folder), model=MODEL)
    return folder


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, index: Path) -> Iterator[Service]:
    """A service with the default settings."""
    log = tmp_path_factory.mktemp("service") / "log"
    with serve(log, INDEX_URI=str(index), IMAGE_BASE_URL=f"{IMAGE_BASE}/") as running:
        yield running


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """Entry points configure the process's logging when they are imported."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
