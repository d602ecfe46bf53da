"""The staged sources in the real functions-framework server, in front of the stand-in for Cloud Storage.

Events are sent as Eventarc sends them: an HTTP POST, binary or structured.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from cloudevents.conversion import to_binary, to_structured
from cloudevents.http import CloudEvent

from tests.functions.http_client import Client
from tests.photos import photo
from tests.servers.gcs import GcsServer, RefusedError

pytestmark = pytest.mark.slow  # starts three servers

EVENTS = Path(__file__).parents[1] / "functions" / "events"
IMAGES = "https://cdn.example/photos"
KEY = "hüte/grün + 50%2F.jpg"
"""The bucket of the captured event; its photos are below `photos/`."""
QUOTED = "h%C3%BCte/gr%C3%BCn%20%2B%2050%252F.jpg"


@contextmanager
def function(source: Path, target: str, log: Path, settings: Mapping[str, str]) -> Iterator[Client]:
    """Run a target as the buildpack's image does; only staged files and installed packages can be imported."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GOOGLE_", "PYTHON"))}
    command = [sys.executable, "-P", "-m", "functions_framework", "--source", str(source / "main.py")]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--target", target, "--host", "127.0.0.1", "--port", str(port)],
            cwd=log.parent,
            env={**clean, "PYTHONDONTWRITEBYTECODE": "1", **settings},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            for _ in range(300):
                assert process.poll() is None, log.read_text()
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield Client(port)
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # with its worker
            process.wait()


@dataclass
class Cloud:
    storage: GcsServer
    search: Client
    events: Client
    schedule: Client

    def put(self, key: str, content: bytes) -> None:
        self.storage.write("shop", f"photos/{key}", content, {"contentType": "image/jpeg"}, None)

    def delete(self, key: str) -> None:
        self.storage.delete("shop", f"photos/{key}", None)

    def send(self, name: str, mode: Any = to_binary, key: str = KEY) -> int:
        """Send a captured event of the gallery; return the status."""
        text = (EVENTS / f"gcs_{name}.json").read_text().replace("GALLERY-BUCKET", "shop")
        attributes: dict[str, Any] = json.loads(text)
        data = attributes.pop("data")
        headers, body = mode(CloudEvent(attributes, {**data, "name": f"photos/{key}"}))
        return post(self.events.port, body, headers)[0]

    @property
    def generation(self) -> str:
        pointer: dict[str, str] = json.loads(self.storage.read("shop-index", "current.json").data)
        return pointer["generation"]

    def found(self, colour: str, count: int = 16) -> list[str]:
        """Return the keys of the most similar photos."""
        answer = self.search.upload("/v1/search", photo(colour), k=str(count))
        assert answer.status == 200, answer.body
        return [result["url"].removeprefix(f"{IMAGES}/") for result in answer.json["results"]]


def refuse_buckets(request: str) -> None:
    """Refuse requests for the bucket, as the functions' roles do. The SDK sends some anyway, and must work without."""
    if re.match(r"GET /storage/v1/b/[^/]+(\?|$)", request):
        raise RefusedError(403, "does not have storage.buckets.get access")


def post(port: int, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=500)
    try:
        connection.request("POST", "/", body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def cloud(staged: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Three functions as deploy.sh sets them up, with an empty gallery and no index."""
    logs = tmp_path_factory.mktemp("logs")
    with ExitStack() as stack:
        storage = stack.enter_context(GcsServer())
        storage.before_request = refuse_buckets
        storage.buckets |= {"shop": {}, "shop-index": {}}
        places = {
            "STORAGE_EMULATOR_HOST": storage.url,
            "GOOGLE_BASE_URL": storage.url,
            "GOOGLE_SKIP_SIGNATURE": "true",
            "INDEX_URI": "gs://shop-index",
            "GALLERY_URI": "gs://shop/photos",
        }
        search = {**places, "IMAGE_BASE_URL": IMAGES, "REFRESH_SECONDS": "0", "THREADS": "11"}
        yield Cloud(
            storage,
            stack.enter_context(function(staged / "search", "search", logs / "search", search)),
            stack.enter_context(
                function(
                    staged / "reindex",
                    "reindex",
                    logs / "reindex",
                    {**places, "REINDEX_SECONDS": "270", "THREADS": "80"},
                )
            ),
            stack.enter_context(
                function(
                    staged / "reindex",
                    "reindex_scheduled",
                    logs / "all",
                    {**places, "REINDEX_SECONDS": "1800", "THREADS": "1"},
                )
            ),
        )


@pytest.fixture(autouse=True)
def filled(cloud: Cloud) -> None:
    """Two photos that the schedule has indexed."""
    for name in list(cloud.storage.buckets["shop"]):
        del cloud.storage.buckets["shop"][name]
    cloud.put("red.jpg", photo("red"))
    cloud.put("blue.jpg", photo("blue"))
    status, body = post(cloud.schedule.port, b"{}", {"Content-Type": "application/json"})
    assert status == 200, body
    assert cloud.found("blue")[0] == "blue.jpg"


@pytest.mark.parametrize("mode", [to_binary, to_structured])
def test_an_event_adds_a_photo_to_the_search_and_another_removes_it(cloud: Cloud, mode: Any) -> None:
    before = cloud.generation
    cloud.put(KEY, photo("green"))
    assert cloud.send("finalized", mode) == 200
    assert cloud.generation != before
    assert cloud.found("green")[0] == QUOTED
    assert len(cloud.found("green")) == 3
    cloud.delete(KEY)
    assert cloud.send("deleted", mode) == 200
    assert sorted(cloud.found("green")) == ["blue.jpg", "red.jpg"]


def test_an_event_that_the_index_already_covers_returns_at_once(cloud: Cloud) -> None:
    """Eventarc sends some events twice, and the schedule may have been faster."""
    before = cloud.generation
    cloud.storage.requests.clear()
    assert cloud.send("finalized", key="red.jpg") == 200
    assert cloud.send("deleted", key="never-there.jpg") == 200
    assert cloud.generation == before
    asked = cloud.storage.requests
    assert all(each.startswith("GET ") for each in asked)
    assert not [each for each in asked if "red.jpg" in each and "alt=media" in each]
    assert not [each for each in asked if "vectors.npy" in each]


def test_a_burst_of_events_shares_rebuilds(cloud: Cloud) -> None:
    keys = [f"burst/{number}.jpg" for number in range(16)]
    for number, key in enumerate(keys):
        cloud.put(key, photo(f"#{number:x}0{number:x}0ff"))
    cloud.storage.requests.clear()
    with ThreadPoolExecutor(len(keys)) as threads:
        assert set(threads.map(lambda key: cloud.send("finalized", key=key), keys)) == {200}
    published = [each for each in cloud.storage.requests if "ifGenerationMatch" in each]  # writes of the pointer only
    assert 1 <= len(published) <= 4
    assert set(keys) <= set(cloud.found("red", count=18))


def test_a_broken_photo_does_not_keep_the_others_out(cloud: Cloud) -> None:
    cloud.put("broken.jpg", photo("yellow")[:100])
    cloud.put("black.jpg", photo("black"))
    assert cloud.send("finalized", key="broken.jpg") == 200  # another delivery would not help
    assert cloud.send("finalized", key="black.jpg") == 200
    assert cloud.found("black")[0] == "black.jpg"
    assert len(cloud.found("black")) == 3


def test_the_schedule_finds_changes_without_events(cloud: Cloud) -> None:
    cloud.put("white.jpg", photo("white"))
    cloud.delete("red.jpg")
    status, body = post(cloud.schedule.port, None, {"User-Agent": "Google-Cloud-Scheduler"})
    assert status == 200
    summary = json.loads(body)
    assert (summary["outcome"], summary["added"], summary["removed"]) == ("published", 1, 1)
    assert sorted(cloud.found("white")) == ["blue.jpg", "white.jpg"]
    assert json.loads(post(cloud.schedule.port, None, {})[1])["outcome"] == "unchanged"


def test_an_event_is_sent_again_while_storage_fails(cloud: Cloud) -> None:
    cloud.storage.fail_next(403)
    assert cloud.send("finalized", key="red.jpg") >= 500
    assert cloud.send("finalized", key="red.jpg") == 200
