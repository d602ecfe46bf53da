from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread

import pytest

from scripts.local.page import open_page_server

_HAT = "RIFF....WEBP and a hat"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    for name, content in {
        "site/index.html": "the page",
        "site/config.js": "the file's own",
        "gallery/hats/größe 1+%.jpg": _HAT,
        "gallery/hats/saved from a page.jfif": _HAT,
        "gallery/hats/without an ending": _HAT,
        "gallery/letter.jpg": "secret",
        "gallery/diary.txt": "secret",
        "secret.jpg": "secret",
    }.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    server = open_page_server(tmp_path / "site", tmp_path / "gallery", "http://service.example", 0)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def _get(port: int, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, body


def test_the_page_and_the_photos_are_served(port: int) -> None:
    assert _get(port, "/") == (200, "the page")
    assert _get(port, "/?key=hats") == (200, "the page")
    assert _get(port, "/gallery/hats/gr%C3%B6%C3%9Fe%201%2B%25.jpg") == (200, _HAT)


@pytest.mark.parametrize("name", ["saved%20from%20a%20page.jfif", "without%20an%20ending"])
def test_photos_are_known_by_their_content_as_the_index_knows_them(port: int, name: str) -> None:
    assert _get(port, f"/gallery/hats/{name}") == (200, _HAT)


def test_a_shops_page_shows_the_widget(port: int) -> None:
    status, body = _get(port, "/product.html")
    assert status == 200
    assert "<similar-garments" in body


def test_the_page_gets_the_address_of_this_demos_service(port: int) -> None:
    assert _get(port, "/config.js") == (200, 'export const SERVICE_URL = "http://service.example";\n')


@pytest.mark.parametrize(
    "path",
    [
        "/gallery/../secret.jpg",
        "/gallery/%2e%2e/secret.jpg",
        "/gallery/..%2fsecret.jpg",
        "/gallery/..%5csecret.jpg",
        "/gallery/x/../../secret.jpg",
        "/gallery//etc/x.jpg",
        "/gallery/%00.jpg",
        "/../secret.jpg",
        "/%2e%2e/secret.jpg",
        "//secret.jpg",
        "/gallery/diary.txt",
        "/gallery/letter.jpg",
        "/gallery/",
        "/gallery",
        "/gallery/hats",
        "/gallery/hats/",
        "/nothing",
    ],
)
def test_nothing_else_is_served(port: int, path: str) -> None:
    status, body = _get(port, path)
    assert status == 404
    assert "secret" not in body.replace(path, "")
