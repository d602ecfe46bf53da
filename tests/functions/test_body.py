"""The body of a request, on servers with different streams."""

import socket
import threading
import time
from io import BytesIO
from typing import Any

import pytest

from functions.search import body as module
from functions.search.body import Body, BodyTooLargeError
from functions.search.problems import RequestError


class Socket:
    """A stream of a server that hands on the connection: reading beyond the body would wait for ever."""

    def __init__(self, content: bytes) -> None:
        self.left = content

    def read(self, size: int) -> bytes:
        assert size <= len(self.left), "this read would hang"
        data, self.left = self.left[:size], self.left[size:]
        return data


def body(stream: Any, **environ: object) -> Body:
    return Body({"wsgi.input": stream, **environ})


def test_ends_where_the_length_says() -> None:
    stream = Socket(b"body" + b"GET / HTTP/1.1")
    request = body(stream, CONTENT_LENGTH="4")
    assert (request.length, request.read(3), request.read(100), request.read(100)) == (4, b"bod", b"y", b"")
    request.discard()
    assert stream.left == b"GET / HTTP/1.1"


@pytest.mark.parametrize("length", [None, "", "-1", "many", "٤"])
def test_without_a_length_there_is_no_body_unless_the_server_ends_the_stream(length: str | None) -> None:
    given = {} if length is None else {"CONTENT_LENGTH": length}
    assert body(Socket(b"GET / HTTP/1.1"), **given).read(10) == b""
    ended = body(BytesIO(b"chunks"), **given, **{"wsgi.input_terminated": True})
    assert (ended.length, ended.read(4), ended.read(100)) == (None, b"chun", b"ks")


def test_discard_reads_the_rest() -> None:
    stream = Socket(bytes(200_000))
    request = body(stream, CONTENT_LENGTH="200000")
    request.read(5)
    request.discard()
    assert stream.left == b""


def test_a_body_within_its_limit() -> None:
    request = body(BytesIO(b"photo"), CONTENT_LENGTH="5")
    request.expect(5)
    assert request.read(6) == b"photo"


def test_a_body_that_gives_too_large_a_length_is_refused_unread() -> None:
    stream = Socket(b"photo")
    with pytest.raises(BodyTooLargeError):
        body(stream, CONTENT_LENGTH="5").expect(4)
    assert stream.left == b"photo"


def test_a_body_that_turns_out_too_large_is_refused_and_can_be_discarded() -> None:
    stream = BytesIO(bytes(200_000))
    request = body(stream, **{"wsgi.input_terminated": True})
    request.expect(5)
    assert request.read(5) == bytes(5)
    with pytest.raises(BodyTooLargeError):
        request.read(1)
    request.discard()
    assert stream.read() == b""


def test_an_endless_body_is_not_read_for_ever() -> None:
    class Endless:
        taken = 0

        def read(self, size: int) -> bytes:
            self.taken += size
            return bytes(size) if self.taken < 200_000_000 else b""

    stream = Endless()
    body(stream, **{"wsgi.input_terminated": True}).discard()
    assert 50_000_000 < stream.taken < 100_000_000


def test_no_clock_runs_without_a_connection_or_a_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a thread: behind a gateway it could cut nothing, and most requests have no body."""
    monkeypatch.setattr(threading, "Timer", lambda *_: pytest.fail("a clock runs"))
    body(BytesIO(b"photo"), CONTENT_LENGTH="5").discard()
    body(BytesIO(b"GET / HTTP/1.1"), **{"gunicorn.socket": object()}).discard()


@pytest.mark.parametrize("expected", [True, False])
def test_only_an_expected_body_has_the_time_of_an_upload(expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    short, long = 0.05, 5.0
    monkeypatch.setattr(module, "UPLOAD_SECONDS", short if expected else long)
    monkeypatch.setattr(module, "HURRY_SECONDS", long if expected else short)
    server, client = socket.socketpair()
    with server, client, server.makefile("rb") as stream:
        request = body(stream, CONTENT_LENGTH="10", **{"gunicorn.socket": server})
        if expected:
            request.expect(10)
        client.send(b"slow")
        started = time.monotonic()
        with pytest.raises(RequestError, match=r"after 0\.05 seconds"):
            request.read(10)
        assert time.monotonic() - started < long


def test_a_client_that_breaks_off() -> None:
    class Broken:
        def read(self, size: int) -> bytes:
            raise RuntimeError("a server's own error")

    request = body(Broken(), CONTENT_LENGTH="10")
    with pytest.raises(RequestError, match="ended too soon"):
        request.read(10)
    request.discard()


@pytest.mark.parametrize("length", ["1" * 19, "1" * 5000])
def test_an_impossible_length_counts_as_none(length: str) -> None:
    """Python refuses to read numbers of more than 4,300 digits."""
    assert body(BytesIO(b"x"), CONTENT_LENGTH=length).length is None
