"""Whatever a client sends byte by byte, it is refused clearly, soon, and in bounded memory."""

import time
from collections.abc import Iterator

import pytest

from tests.functions.conftest import Service
from tests.photos import photo
from tests.trust.server import answer, connected, head, usage, worker

RED = photo("#800000")
SECONDS = 5
MEMORY = 60_000_000
"""More than a request of 10 MB takes, for a while."""


def part(headers: str, content: bytes = b"x") -> bytes:
    return f"--b\r\n{headers}\r\n\r\n".encode() + content + b"\r\n"


FIELD = 'Content-Disposition: form-data; name="x"'
FILE = 'Content-Disposition: form-data; name="file"; filename="x.jpg"'
END = b"--b--\r\n"

FORMS = {
    "10,000 parts": (part(FIELD) * 10_000 + part(FILE, RED) + END, 400),
    "100,000 empty parts": (part(FIELD, b"") * 100_000 + END, 400),
    "10,000 headers in a part": (part("\r\n".join([FILE, *["X: x"] * 10_000]), RED) + END, 400),
    "a header of 5 MB in a part": (part(FILE + "; x=" + "x" * 5_000_000, RED) + END, 400),
    "a name of 100 KB": (part(FILE.replace("file", "f" * 100_000), RED) + END, 400),
    "nested forms": (
        part("\r\n".join([FILE, "Content-Type: multipart/mixed; boundary=c"]), b"--c\r\n\r\n" + RED + b"\r\n--c--")
        + END,
        415,
    ),
    "9 MB that never reach a boundary": (b"--" * 4_500_000, 400),
    "9 MB of line breaks": (b"\r\n" * 4_500_000, 400),
    "9 MB of almost boundaries": (part(FILE, b"\r\n--" * 2_250_000) + END, 415),
    "another part that claims to be short": (part(FILE + "\r\nContent-Length: 3", RED) + END, 400),
    "a photo packed as base64": (part(FILE + "\r\nContent-Transfer-Encoding: base64", b"/9j/4AAQ") + END, 415),
}


@pytest.fixture(autouse=True)
def unharmed(service: Service) -> Iterator[None]:
    """After each test the same process answers, and it has not grown."""
    pid = worker(service)
    before = usage(pid)
    yield
    assert service.send("/v1/search?k=1", RED).status == 200
    assert worker(service) == pid
    assert usage(pid).memory - before.memory < MEMORY


@pytest.mark.parametrize("name", FORMS)
def test_forms(service: Service, name: str) -> None:
    body, status = FORMS[name]
    started = time.monotonic()
    found = service.ask("POST", "/v1/search", body, {"Content-Type": "multipart/form-data; boundary=b"})
    assert found.status == status
    assert time.monotonic() - started < SECONDS


@pytest.mark.parametrize("boundary", ["x" * 4000, "", '"', "=" * 70, "b\\", "b; boundary=c"])
def test_boundaries(service: Service, boundary: str) -> None:
    found = service.ask(
        "POST", "/", part(FILE, RED) + END, {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    )
    assert found.status in (200, 400)


@pytest.mark.parametrize("length", [len(RED) + 1, len(RED) + 1_000_000_000])
def test_fewer_bytes_than_announced(service: Service, length: int) -> None:
    with connected(service) as connection:
        connection.sendall(head(length) + RED[:500])
        connection.shutdown(1)
        assert answer(connection).startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 422 ", b"HTTP/1.1 400 "))


def test_more_bytes_than_announced_are_not_a_second_request(service: Service) -> None:
    with connected(service, seconds=1) as connection:
        connection.sendall(head(len(RED)) + RED + b"GARBAGE\r\n\r\n")
        received = answer(connection) + answer(connection)
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.count(b"HTTP/1.1 2") == 1


@pytest.mark.parametrize("length", ["-1", "1e3", "+5", "0x10", "٣", "5, 6", "1" * 5000])
def test_lengths_that_are_not_numbers(service: Service, length: str) -> None:
    with connected(service) as connection:
        connection.sendall(head(length).replace("٣".encode(), b"\xd9\xa3") + RED)
        assert answer(connection).startswith(b"HTTP/1.1 4")


def test_two_lengths(service: Service) -> None:
    with connected(service) as connection:
        connection.sendall(head(len(RED), more="Content-Length: 3") + RED)
        assert answer(connection).startswith(b"HTTP/1.1 4")


def test_length_and_chunks_at_once(service: Service) -> None:
    """This is how to smuggle a second request past a proxy."""
    with connected(service) as connection:
        connection.sendall(
            head(4, more="Transfer-Encoding: chunked") + b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        )
        received = answer(connection)
    assert received.startswith(b"HTTP/1.1 4")
    assert b'"status": "ok"' not in received


@pytest.mark.parametrize(
    "more",
    [
        pytest.param("\r\n".join(f"X-{number}: x" for number in range(5000)), id="5,000 headers"),
        pytest.param("X: " + "x" * 5_000_000, id="one of 5 MB"),
        pytest.param("X: x\r\n " + "x\r\n " * 1000, id="folded"),
        pytest.param("X\x00Y: x", id="NUL"),
        pytest.param("X Y: x", id="space"),
    ],
)
def test_header_floods(service: Service, more: str) -> None:
    started = time.monotonic()
    with connected(service) as connection:
        try:
            connection.sendall(head(len(RED), more=more) + RED)
            received = answer(connection)
        except ConnectionError:
            received = b"HTTP/1.1 4"  # cut off while it was still sending
    assert received.startswith(b"HTTP/1.1 4")
    assert time.monotonic() - started < SECONDS


@pytest.mark.parametrize("size", [100_000, 1_000_000])
def test_a_long_address(service: Service, size: int) -> None:
    with connected(service) as connection:
        try:
            connection.sendall(b"GET /?" + b"x" * size + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            received = answer(connection)
        except ConnectionError:
            received = b"HTTP/1.1 4"
    assert received.startswith(b"HTTP/1.1 4")
