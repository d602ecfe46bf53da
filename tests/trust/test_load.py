"""More requests than an instance takes, and very many: right answers, clear refusals, and no growth."""

import random
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from http.client import HTTPException
from pathlib import Path

import numpy as np
import pytest

from tests.functions.conftest import IMAGE_BASE, Service, serve
from tests.functions.http_client import Answer
from tests.photos import photo
from tests.trust.server import answer, connected, head, serve_impatient, usage, worker

pytestmark = pytest.mark.alone

THREADS = 4
AT_ONCE = 3
"""Three quarters of the threads."""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, index: Path) -> Iterator[Service]:
    log = tmp_path_factory.mktemp("small") / "log"
    with serve_impatient(log, INDEX_URI=str(index), IMAGE_BASE_URL=IMAGE_BASE, THREADS=str(THREADS)) as running:
        yield running


def test_twice_as_many_requests_as_it_takes(small: Service, photos: dict[str, bytes]) -> None:
    def search(key: str) -> tuple[str, Answer]:
        # A large PNG makes work.
        colour = "#" + ("{0}0000" if key.startswith("shirts/") else "00{0}00").format(key.split("/")[1][:2])
        return key, small.upload("/v1/search?k=1&prefix=" + key.split("/")[0], large[colour])

    shades = ("20", "50", "80", "b0", "e0")
    large = {f"#{shade}0000": photo(f"#{shade}0000", (1200, 1600), "PNG") for shade in shades}
    large |= {f"#00{shade}00": photo(f"#00{shade}00", (1200, 1600), "PNG") for shade in shades}
    keys = [key for key in photos if key.startswith(("shirts/", "skirts/")) and key.endswith(".jpg")] * 5
    with ThreadPoolExecutor(2 * AT_ONCE) as threads:
        answers = list(threads.map(search, keys))
        watched = [threads.submit(small.get, "/healthz") for _ in range(20)]
        answers += list(threads.map(search, keys))
    assert {each.result().status for each in watched} == {200}
    found = [(key, each) for key, each in answers if each.status == 200]
    assert [each.keys for _, each in found] == [[key] for key, _ in found]
    refused = [each for _, each in answers if each.status != 200]
    assert len(found) >= AT_ONCE
    assert len(refused) > 10
    for each in refused:
        assert each.problem == (503, "busy")
        assert each.header("Retry-After") == "1"
        assert each.header("Access-Control-Allow-Origin") == "*"


def test_slow_uploads_lose_their_places_when_their_time_is_up(small: Service) -> None:
    with connected(small) as first, connected(small) as second, connected(small) as third:
        started = time.monotonic()
        for each in (first, second, third):
            each.sendall(head(1_000_000) + b"\xff\xd8\xff")
        time.sleep(0.2)
        assert small.get("/v1/random").problem == small.upload("/", photo("red")).problem == (503, "busy")
        for path in ("/healthz", "/openapi.json", "/docs"):
            assert small.get(path).status == 200
        for _ in range(4):
            time.sleep(0.1)
            second.sendall(b"x")  # sending drop by drop does not buy time
        for each in (first, second, third):
            assert b"body-malformed" in (said := answer(each))
            assert b"had not arrived after 1 seconds" in said
        assert time.monotonic() - started < 3
    assert small.get("/v1/random").status == 200


def test_a_refused_client_that_sends_slowly_is_soon_dropped(small: Service) -> None:
    """Otherwise the last thread, which refuses the others, would be taken too."""
    with connected(small) as first, connected(small) as second, connected(small) as third, connected(small) as fourth:
        for each in (first, second, third):
            each.sendall(head(1_000_000) + b"\xff\xd8\xff")
        time.sleep(0.2)
        started = time.monotonic()
        fourth.sendall(head(1_000_000) + b"\xff\xd8\xff")
        assert b"urn:garment-search:busy" in answer(fourth)
        assert time.monotonic() - started < 0.8


@pytest.mark.parametrize(
    ("beginning", "status"),
    [
        pytest.param(head(1_000_000, content_type="text/plain"), 415, id="of a wrong type"),
        pytest.param(head(20_000_000), 413, id="too large"),
        pytest.param(head(1_000_000, "/v1/random").replace(b"POST", b"GET"), 200, id="not looked at"),
    ],
)
def test_a_slow_body_that_is_not_taken_is_answered_soon(small: Service, beginning: bytes, status: int) -> None:
    """It keeps its place until it is read to its end: an upload's minute would keep others out."""
    with connected(small) as connection:
        started = time.monotonic()
        connection.sendall(beginning + b"x")
        assert answer(connection).startswith(b"HTTP/1.1 %d " % status)
        assert time.monotonic() - started < 0.8


def test_a_connection_is_not_cut_after_its_upload_is_answered(small: Service) -> None:
    """Its clock starts with the first read and must not run on during the next request."""
    with connected(small) as connection:
        upload = photo("red")
        connection.sendall(head(len(upload)) + upload)
        assert answer(connection).startswith(b"HTTP/1.1 200 ")
        time.sleep(1.1)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer(connection).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "beginning",
    [
        head(1_000_000, "/nowhere"),
        head(1_000_000, "/healthz"),
        head(1_000_000, "/healthz").replace(b"POST", b"GET"),
        head(1_000_000).replace(b"POST", b"OPTIONS"),
        head(1_000_000, content_type="text/plain"),
        head(1_000_000, "/v1/random").replace(b"POST", b"GET"),
    ],
    ids=lambda beginning: beginning.partition(b" HTTP")[0].decode(),
)
def test_slow_bodies_that_no_route_reads_hold_no_thread_for_long(small: Service, beginning: bytes) -> None:
    """Their requests are answered without reading them; a thread must be left for that, and for `/healthz`."""
    with ExitStack() as stack:
        for _ in range(THREADS):
            stack.enter_context(connected(small)).sendall(beginning + b"x")
        time.sleep(0.1)
        started = time.monotonic()
        assert small.get("/healthz").status == 200
        assert time.monotonic() - started < 0.6


def test_a_client_that_does_not_read_holds_no_thread_for_long(small: Service) -> None:
    """Hundreds of requests at once fill the buffers on the way back."""
    with ExitStack() as stack:
        for _ in range(THREADS):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            connection.settimeout(1)
            connection.connect(("127.0.0.1", small.port))
            with suppress(TimeoutError):
                connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 300)
        time.sleep(0.5)
        assert small.get("/healthz").status == 200
    assert "Traceback" not in small.log.read_text()


def test_an_upload_without_end_or_length(small: Service) -> None:
    with connected(small) as connection:
        connection.sendall(head(0, more="").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked"))
        with suppress(ConnectionError):
            for _ in range(8):
                connection.sendall(b"3\r\nabc\r\n")
                time.sleep(0.2)
        assert b"body-malformed" in answer(connection)


def _mixture(service: Service, photos: dict[str, bytes], count: int, seed: int) -> Counter[int]:
    """Send `count` requests of every sort; count the answers by status."""
    choices = random.Random(seed)
    keys = list(photos)
    red, broken = photo("red", (640, 480)), photo("red")[:500]
    asks = (
        lambda: service.upload("/", photos[choices.choice(keys)]),
        lambda: service.send("/v1/search?dedupe=0.9&k=50", red),
        lambda: service.send("/v1/search?box=0.1,0.1,0.5,0.5", photos[choices.choice(keys)], "image/png"),
        lambda: service.get("/v1/random?prefix=shirts"),
        lambda: service.get("/random"),
        lambda: service.upload("/", broken),
        lambda: service.upload("/", red, field="wrong"),
        lambda: service.get(f"/v1/similar?key=nothing{choices.random()}"),
        lambda: service.get(f"/{choices.random()}"),
        lambda: service.get("/healthz"),
    )
    found: Counter[int] = Counter()
    for _ in range(count):
        with suppress(ConnectionError, HTTPException):
            found[choices.choice(asks)().status] += 1
    return found


def _soak(service: Service, photos: dict[str, bytes], requests: int, seconds: float = 0) -> tuple[float, int]:
    """Ask until both limits are reached; return the growth in bytes per request after a warm-up, and the requests."""
    pid = worker(service)
    with ThreadPoolExecutor(4) as threads:

        def ask(count: int) -> None:
            for found in [
                threads.submit(_mixture, service, photos, count // 4, random.getrandbits(32)) for _ in "four"
            ]:
                assert found.result().keys() <= {200, 400, 404, 422, 503}

        part = max(requests // 10, 100)
        ask(2 * part)  # caches, a model for each thread
        before = usage(pid)
        asked, memory = [0], [before.memory]
        ends = time.monotonic() + seconds
        while asked[-1] < requests or time.monotonic() < ends:
            ask(part)
            asked.append(asked[-1] + part)
            memory.append(usage(pid).memory)
            print(f"{asked[-1]} requests: {usage(pid)}")  # noqa: T201 - for `-s`
    time.sleep(0.5)
    after = usage(pid)
    assert after.threads <= before.threads + 8  # the server starts the threads of its pool as it needs them
    assert after.files <= before.files + 1
    return float(np.polyfit(asked, memory, 1)[0]), asked[-1]


@pytest.mark.slow
def test_nothing_grows_with_the_requests(service: Service, photos: dict[str, bytes]) -> None:
    slope, _ = _soak(service, photos, 400)
    # A process still settles in its first hundreds of requests; kept photos would be some 100,000 bytes each.
    assert slope < 30_000, f"{slope:.0f} bytes of memory more for each request"


@pytest.mark.soak
@pytest.mark.timeout(3000)
def test_ten_minutes_and_twenty_thousand_requests(tmp_path: Path, index: Path, photos: dict[str, bytes]) -> None:
    with serve(tmp_path / "log", INDEX_URI=str(index), IMAGE_BASE_URL=IMAGE_BASE, REFRESH_SECONDS="1") as service:
        slope, asked = _soak(service, photos, 20_000, seconds=600)
    print(f"{asked} requests, {slope:.1f} bytes of memory more for each")  # noqa: T201
    assert slope < 100
