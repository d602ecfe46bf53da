"""What unknown pages and clients can see, and what they can make the service do."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest

from embeddings.rebuild import rebuild
from embeddings.storage.writers import open_writer
from tests.functions.conftest import IMAGE_BASE, MODEL, Service, serve
from tests.photos import photo
from tests.servers.s3 import S3Server

RED = photo("#800000")
MARK = "x7MARKz9"
SCRIPT = f"<script>{MARK}</script>"


@pytest.fixture(scope="module")
def for_a_page(tmp_path_factory: pytest.TempPathFactory, index: Path) -> Iterator[Service]:
    log = tmp_path_factory.mktemp("for-a-page") / "log"
    origins = "https://shop.example,http://localhost:8000"
    with serve(log, INDEX_URI=str(index), IMAGE_BASE_URL=IMAGE_BASE, CORS_ORIGINS=origins) as running:
        yield running


@pytest.mark.parametrize(
    "origin",
    [
        *("http://shop.example", "https://shop.example:443", "https://SHOP.example", "https://shop.example."),
        *("https://xshop.example", "https://a.shop.example", "https://shop.example@evil.example", "https://shop"),
        *("https://shop.example,http://localhost:8000", "*", "http://localhost", "http://localhost:80000", " "),
    ],
)
def test_origins_must_match_to_the_letter(for_a_page: Service, origin: str) -> None:
    for answer in (for_a_page.get("/random", Origin=origin), for_a_page.ask("OPTIONS", "/", None, {"Origin": origin})):
        assert not any(name.lower().startswith("access-control-") for name, _ in answer.headers)
        assert answer.header("Vary") == "Origin"


@pytest.mark.slow
@pytest.mark.parametrize("configured", ["service", "for_a_page"])
def test_no_page_gets_credentials(configured: str, request: pytest.FixtureRequest) -> None:
    answer = request.getfixturevalue(configured).get("/random", Origin="https://shop.example", Cookie="a=b")
    assert answer.header("Access-Control-Allow-Credentials") is None
    assert answer.header("Set-Cookie") is None


def test_nothing_is_reflected(for_a_page: Service) -> None:
    quoted = quote(SCRIPT)
    form = f'--b\r\nContent-Disposition: form-data; name="{SCRIPT}"; filename="{SCRIPT}"\r\n\r\n{SCRIPT}\r\n--b--\r\n'
    headers = {
        "Origin": f"https://{MARK}.example",
        "X-Request-Id": SCRIPT,
        "User-Agent": SCRIPT,
        "Referer": SCRIPT,
        "Cookie": SCRIPT,
        "X-Forwarded-Host": MARK,
        "X-Forwarded-For": MARK,
    }
    answers = [
        *(for_a_page.get(path, **headers) for path in (f"/{quoted}", f"/v1/similar?key={quoted}", f"/random?{quoted}")),
        *(for_a_page.get(f"/v1/random?{name}={quoted}", **headers) for name in ("k", "offset", "min_score", "dedupe")),
        for_a_page.get(f"/v1/random?prefix={quoted}", **headers),
        *(
            for_a_page.ask("POST", "/v1/search", body, {**headers, "Content-Type": kind})
            for body, kind in (
                (SCRIPT.encode(), "image/jpeg"),
                (RED[:300] + SCRIPT.encode(), "image/jpeg"),
                (SCRIPT.encode(), SCRIPT),
                (form.encode(), "multipart/form-data; boundary=b"),
                (form.replace(f'name="{SCRIPT}"', 'name="file"').encode(), "multipart/form-data; boundary=b"),
                (form.encode(), f"multipart/form-data; boundary={MARK}"),
                (f"--b\r\n{SCRIPT}\r\n\r\n".encode(), "multipart/form-data; boundary=b"),
            )
        ),
        for_a_page.upload("/v1/search", RED, box=SCRIPT),
    ]
    for answer in answers:
        assert answer.status < 500
        assert MARK not in str(answer.headers) + answer.body.decode()
        assert answer.header("X-Content-Type-Options") == "nosniff"
    # An answer to a valid request repeats it, but as JSON, which no browser takes for a page.
    said = for_a_page.upload("/v1/search", RED, prefix=SCRIPT)
    assert said.json["query"]["prefix"] == SCRIPT
    assert (said.header("Content-Type"), said.header("X-Content-Type-Options")) == ("application/json", "nosniff")


@contextmanager
def trap() -> Iterator[tuple[str, list[socket.socket]]]:
    """Open an address; collect the connections made to it."""
    server = socket.create_server(("127.0.0.1", 0))
    caught: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                caught.append(server.accept()[0])
            except OSError:
                return

    threading.Thread(target=accept, daemon=True).start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/photo.jpg", caught
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    for each in caught:
        each.close()


def test_no_address_of_a_client_is_fetched(service: Service) -> None:
    with trap() as (url, caught):
        svg = f'<svg xmlns:x="http://www.w3.org/1999/xlink"><image x:href="{url}"/></svg>'.encode()
        xmp = photo("red", xmp=f'<x:xmpmeta xmlns:x="{url}"><rdf:li rdf:resource="{url}"/></x:xmpmeta>'.encode())
        service.upload("/v1/search", RED, url=url, image_url=url, src=url)
        for body in (url.encode(), svg, xmp, json.dumps({"url": url}).encode()):
            service.upload("/", body)
            for kind in ("image/jpeg", "image/svg+xml", "text/plain", "application/json", "message/external-body"):
                service.send("/v1/search", body, kind)
        for name in ("key", "url", "prefix", "image", "callback"):
            service.get(f"/v1/similar?{name}={quote(url)}", Referer=url, Origin=url)
        assert caught == []


@pytest.fixture
def private(s3_server: S3Server, tmp_path: Path, photos: dict[str, bytes]) -> Iterator[Service]:
    """A service with signed URLs; the gallery's bucket holds more photos than the index."""
    bucket = s3_server.new_bucket()
    gallery, index = f"s3://{bucket}/secret-gallery", f"s3://{bucket}/secret-index"
    writer = open_writer(gallery)
    for key in ("coats/0.jpg", "hüte/grün & 50%.webp", "shirts/20.jpg"):
        writer.put(key, photos[key])
    rebuild(gallery, index, model=MODEL)
    writer.put("not indexed.jpg", RED)
    settings = {"INDEX_URI": index, "GALLERY_URI": gallery, "SIGNED_URL_SECONDS": "90"}
    with serve(tmp_path / "log", **settings) as running:
        yield running


def test_signed_urls_expire_and_are_of_the_index_only(private: Service) -> None:
    urls = private.upload("/", RED).json + private.get("/random").json
    answer = private.get("/v1/similar?key=coats/0.jpg").json
    urls += [answer["query"]["url"], *(each["url"] for each in answer["results"])]
    assert len(urls) == 9
    for url in urls:
        parts = urlsplit(url)
        assert parse_qs(parts.query)["X-Amz-Expires"] == ["90"]
        key = unquote(parts.path).partition("/secret-gallery/")[2]
        assert key in ("coats/0.jpg", "hüte/grün & 50%.webp", "shirts/20.jpg")
    for key in ("not indexed.jpg", "../secret-index/current.json", "coats/../not indexed.jpg", "", "coats/0.jpg/", "/"):
        refused = private.get(f"/v1/similar?key={quote(key)}")
        assert refused.status in (400, 404)
        assert b"X-Amz" not in refused.body
    log = private.log.read_text()
    assert not re.search("X-Amz|Signature|Credential|test/", log)


def test_problems_reveal_nothing_of_storage(private: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        private.get("/v1/similar?key=../secret-index/current.json"),
        private.upload("/v1/search?prefix=secret-gallery", b"no photo"),
        private.get("/secret-index/current.json"),
        private.upload("/", RED[:400]),
        private.get("/v1/index"),
        private.get("/healthz"),
    ]
    inner = r"bucket-|secret-|s3:|127\.0\.0\.1|Traceback|\.py|0x[0-9a-f]{6}|/home|/tmp"
    for answer in found:
        assert not re.search(inner, answer.body.decode())
