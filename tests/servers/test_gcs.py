"""The stand-in for Google Cloud Storage refuses what Google refuses, in both protocols."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.servers.gcs import GcsServer

UPLOAD = "/upload/storage/v1/b/bucket/o?uploadType=media&name=a"


@pytest.fixture
def server() -> Iterator[GcsServer]:
    with GcsServer() as running:
        running.buckets["bucket"] = {}
        yield running


def ask(server: GcsServer, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(server.url + path, body, named, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers


def test_of_concurrent_creates_one_wins(server: GcsServer) -> None:
    def create(number: int) -> int:
        if number % 2:
            return ask(server, "POST", f"{UPLOAD}&ifGenerationMatch=0", b"%d" % number, Content_Type="text/plain")[0]
        return ask(server, "PUT", "/bucket/a", b"%d" % number, x_goog_if_generation_match="0")[0]

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(create, range(8)))
    assert sorted(statuses) == [200] + [412] * 7
    assert ask(server, "GET", "/bucket/a")[1] == b"%d" % statuses.index(200)


def test_generations_are_matched(server: GcsServer) -> None:
    generation = ask(server, "PUT", "/bucket/a", b"1")[2]["x-goog-generation"]
    assert ask(server, "PUT", "/bucket/a", b"2", x_goog_if_generation_match="1")[0] == 412
    assert ask(server, "POST", f"{UPLOAD}&ifGenerationMatch=1", b"2", Content_Type="text/plain")[0] == 412
    assert ask(server, "DELETE", "/storage/v1/b/bucket/o/a?ifGenerationMatch=1")[0] == 412
    assert ask(server, "GET", "/bucket/a")[1] == b"1"
    answer = ask(server, "POST", f"{UPLOAD}&ifGenerationMatch={generation}", b"2", Content_Type="text/plain")
    assert answer[0] == 200
    assert json.loads(answer[1])["generation"] != generation
    assert ask(server, "DELETE", "/bucket/a")[0] == 204
    assert ask(server, "PUT", "/bucket/a", b"3", x_goog_if_generation_match=generation)[0] == 412


def test_a_resumable_upload_is_checked_at_its_beginning_and_end(server: GcsServer) -> None:
    begin = "/upload/storage/v1/b/bucket/o?uploadType=resumable&name=a&ifGenerationMatch=0"
    status, _, headers = ask(server, "POST", begin, b"{}")
    assert status == 200
    session = headers["Location"].removeprefix(server.url)
    assert ask(server, "PUT", session, b"12", Content_Range="bytes 0-1/4")[0] == 308
    assert ask(server, "GET", "/bucket/a")[0] == 404
    ask(server, "PUT", "/bucket/a", b"meanwhile")
    assert ask(server, "PUT", session, b"34", Content_Range="bytes 2-3/4")[0] == 412
    assert ask(server, "POST", begin, b"{}")[0] == 412
    assert ask(server, "GET", "/bucket/a")[1] == b"meanwhile"


@pytest.mark.parametrize("path", ["/bucket/a%2Fb%20%25", "/storage/v1/b/bucket/o/a%2Fb%20%25?alt=media"])
def test_reading(server: GcsServer, path: str) -> None:
    server.write("bucket", "a/b %", b"0123456789", {}, None)
    status, body, headers = ask(server, "GET", path)
    assert (status, body) == (200, b"0123456789")
    assert ask(server, "GET", path, If_None_Match=headers["ETag"])[0] == 304
    assert ask(server, "GET", path, If_None_Match='"other"')[0] == 200
    assert ask(server, "GET", path, If_Match='"other"')[0] == 412
    status, body, headers = ask(server, "GET", path, Range="bytes=8-20")
    assert (status, body, headers["Content-Range"]) == (206, b"89", "bytes 8-9/10")
    assert ask(server, "GET", path, Range="bytes=10-11")[0] == 416
    assert ask(server, "GET", path.replace("a%2Fb", "c"))[0] == 404
    assert ask(server, "GET", path.replace("bucket", "other"))[0] == 404


def test_faults_are_injected_as_often_as_asked(server: GcsServer) -> None:
    server.write("bucket", "a", b"", {}, None)
    server.fail_next(503, times=2)
    assert [ask(server, "GET", "/bucket/a")[0] for _ in range(3)] == [503, 503, 200]
    server.seconds_between_writes = 60
    assert ask(server, "PUT", "/bucket/a", b"")[0] == 429
    assert ask(server, "PUT", "/bucket/b", b"")[0] == 200
