"""The headers of every answer: CORS, timing, caching, the request's id."""

import re
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.functions.conftest import IMAGE_BASE, Service, serve
from tests.functions.http_client import Answer
from tests.photos import photo

PAGE, OTHER = "https://shop.example", "http://localhost:8000"
RED = photo("#800000")


@pytest.fixture(scope="module")
def for_pages(tmp_path_factory: pytest.TempPathFactory, index: Path) -> Iterator[Service]:
    """A service for the pages of two origins alone."""
    log = tmp_path_factory.mktemp("for-pages") / "log"
    with serve(log, INDEX_URI=str(index), IMAGE_BASE_URL=IMAGE_BASE, CORS_ORIGINS=f"{PAGE}, {OTHER}") as running:
        yield running


def answers(service: Service, **headers: str) -> list[Answer]:
    """Ask for every sort of success and for several errors."""
    sent = {"Content-Type": "image/jpeg", **headers}
    return [
        service.ask("POST", "/", RED, sent),
        service.ask("POST", "/v1/search", RED, sent),
        service.get("/random", **headers),
        service.get("/healthz", **headers),
        service.get("/openapi.json", **headers),
        service.ask("OPTIONS", "/", None, headers),
        service.ask("HEAD", "/random", None, headers),
        service.ask("POST", "/", b"", sent),
        service.ask("POST", "/v1/search?k=0", RED, sent),
        service.get("/", **headers),
        service.get("/nowhere", **headers),
    ]


def test_any_page_may_read_every_answer(service: Service) -> None:
    for answer in answers(service, Origin=PAGE):
        assert answer.header("Access-Control-Allow-Origin") == "*"
        assert answer.header("Timing-Allow-Origin") == "*"
        assert answer.header("Vary") is None
        assert "Server-Timing" in (answer.header("Access-Control-Expose-Headers") or "")


@pytest.mark.parametrize("origin", [PAGE, OTHER])
def test_a_listed_page_may_read_every_answer(for_pages: Service, origin: str) -> None:
    for answer in answers(for_pages, Origin=origin):
        assert answer.header("Access-Control-Allow-Origin") == origin
        assert answer.header("Timing-Allow-Origin") == origin
        assert answer.header("Vary") == "Origin"


@pytest.mark.parametrize("origin", ["https://evil.example", "https://shop.example.evil.example", "null", f"{PAGE}/"])
def test_other_pages_may_not(for_pages: Service, origin: str) -> None:
    for answer in answers(for_pages, Origin=origin):
        assert answer.header("Access-Control-Allow-Origin") is None
        assert answer.header("Timing-Allow-Origin") is None
        assert answer.header("Vary") == "Origin"


def test_preflight(service: Service, for_pages: Service) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    for each, allowed in ((service, "*"), (for_pages, PAGE)):
        answer = each.ask("OPTIONS", "/v1/search", None, {"Origin": PAGE, **asked})
        assert answer.status == 204
        assert answer.header("Content-Length") is None
        assert answer.header("Access-Control-Allow-Origin") == allowed
        assert "POST" in (answer.header("Access-Control-Allow-Methods") or "")
        assert "content-type" in (answer.header("Access-Control-Allow-Headers") or "").lower()
        assert answer.header("Allow") == "POST, OPTIONS"


def test_nothing_is_cached_but_the_documents(service: Service) -> None:
    """test_caching.py has the other answers that may be kept."""
    no_store = ["no-store"] * 4
    kept = "public, max-age=60"  # of /openapi.json
    assert [answer.header("Cache-Control") for answer in answers(service)] == [
        *no_store,
        kept,
        *no_store,
        *no_store[:2],
    ]


def test_no_guessing_of_types(service: Service) -> None:
    assert {answer.header("X-Content-Type-Options") for answer in answers(service)} == {"nosniff"}


def test_server_timing(service: Service) -> None:
    def steps(answer: Answer) -> list[str]:
        header = answer.header("Server-Timing") or ""
        assert re.fullmatch(r"\w+;dur=\d+(\.\d+)?(, \w+;dur=\d+(\.\d+)?)*", header)
        return re.findall(r"(\w+);", header)

    assert steps(service.upload("/", RED)) == ["upload", "decode", "index", "embed", "search", "total"]
    assert steps(service.get("/random")) == ["index", "search", "total"]
    assert steps(service.upload("/", RED[:500])) == ["upload", "decode", "total"]
    assert steps(service.get("/nowhere")) == ["total"]


def test_head_is_get_without_the_body(service: Service) -> None:
    for path in ("/healthz", "/openapi.json", "/v1/index", "/v1/similar?key=coats/0.jpg"):
        head, get = service.ask("HEAD", path), service.get(path)
        assert (head.status, head.body) == (200, b"")
        assert head.header("Content-Length") == str(len(get.body))
        assert head.header("Content-Type") == get.header("Content-Type")
    for path, status in (("/nowhere", 404), ("/v1/search", 405), ("/v1/similar?key=nothing", 404)):
        head = service.ask("HEAD", path)
        assert (head.status, head.body) == (status, b"")


def test_the_request_id_is_the_clients_if_it_is_harmless(service: Service) -> None:
    assert service.get("/healthz", **{"X-Request-Id": "trace-1.2_3="}).header("X-Request-Id") == "trace-1.2_3="
    for odd in ("a b", "x" * 101, "<script>", "", "ü"):
        given = service.get("/healthz", **{"X-Request-Id": odd}).header("X-Request-Id")
        assert re.fullmatch("[0-9a-f]{32}", given or "")


def test_a_connection_is_kept_for_the_next_request(service: Service) -> None:
    connection = HTTPConnection("127.0.0.1", service.port, timeout=10)
    for body in (RED, RED[:100], b"", RED):
        connection.request("POST", "/", body, {"Content-Type": "image/jpeg"})
        socket = connection.sock
        connection.getresponse().read()
        assert connection.sock is socket
    connection.close()
