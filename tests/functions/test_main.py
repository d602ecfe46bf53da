"""The functions-framework targets for the re-index, as Google Cloud calls them."""

import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from urllib.parse import unquote, urlsplit

import pytest
from cloudevents.conversion import to_binary, to_structured
from cloudevents.http import CloudEvent
from flask import Flask
from flask.testing import FlaskClient
from functions_framework import create_app

from embeddings.errors import StorageError
from embeddings.index.fetch import fetch_pointer
from embeddings.rebuild import Outcome, Summary, rebuild
from embeddings.storage.reader import open_reader
from embeddings.storage.writers import open_writer
from functions.reindex import coalescing
from functions.reindex.work import WHOLE_GALLERY
from functions.settings import ReindexSettings
from tests.functions.conftest import MODEL
from tests.photos import photo
from tests.servers.gcs import GcsServer

MAIN = Path(__file__).parents[2] / "functions" / "main.py"
EVENTS = Path(__file__).parent / "events"


def client(target: str) -> FlaskClient:
    app: Flask = create_app(target, str(MAIN))
    return app.test_client()


@pytest.fixture
def gallery(gcs_server: GcsServer, restored_logging: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    gcs_server.buckets |= {"shop": {}, "shop-index": {}}
    place, index = "gs://shop/photos", "gs://shop-index"
    open_writer(place).put("gone.jpg", photo("blue"))
    rebuild(place, index, model=MODEL)
    open_writer(place).delete(["gone.jpg"])
    monkeypatch.setenv("GALLERY_URI", place)
    monkeypatch.setenv("INDEX_URI", index)
    monkeypatch.setenv("FUNCTION_TARGET", "")  # the framework sets it for good
    monkeypatch.setenv("FUNCTION_SIGNATURE_TYPE", "")
    path = sys.path[:]
    yield place
    sys.path[:] = path


def cloud_event(name: str, key: str = "") -> CloudEvent:
    content: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text().replace("GALLERY-BUCKET", "shop"))
    data = content.pop("data")
    return CloudEvent(content, {**data, **({"name": key} if key else {})})


def count() -> int:
    manifest, _ = fetch_pointer(open_reader("gs://shop-index"))
    return manifest.count


@pytest.mark.parametrize("mode", [to_binary, to_structured])
def test_an_event_of_the_bucket(gallery: str, mode: Any) -> None:
    reindex = client("reindex")
    open_writer(gallery).put("hüte/grün + 50%2F.jpg", photo("green"))
    assert count() == 1
    for name, expected in (("gcs_finalized", 2), ("gcs_finalized", 2), ("gcs_deleted", 1)):
        headers, body = mode(cloud_event(name))
        answer = reindex.post("/", data=body, headers=headers)
        assert answer.status_code == 200
        assert count() == expected


def test_events_outside_the_gallery_do_nothing(gallery: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reindex = client("reindex")
    monkeypatch.setattr("functions.reindex.work.rebuild", None)  # calling it would be an error
    for key in ("elsewhere/x.jpg", "photos", "photos2/x.jpg", "photos/folder/"):
        headers, body = to_structured(cloud_event("gcs_finalized", key))
        assert reindex.post("/", data=body, headers=headers).status_code == 200


def test_an_event_whose_rebuild_fails_is_sent_again(gallery: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eventarc repeats an event until the answer is success."""
    monkeypatch.setenv("INDEX_URI", "gs://shop/photos/index")
    headers, body = to_structured(cloud_event("gcs_finalized"))
    assert client("reindex").post("/", data=body, headers=headers).status_code == 500


def test_an_event_that_the_index_covers_reads_little(gallery: str, gcs_server: GcsServer) -> None:
    reindex = client("reindex")
    headers, body = to_structured(cloud_event("gcs_deleted", "photos/gone.jpg"))
    assert reindex.post("/", data=body, headers=headers).status_code == 200
    gcs_server.requests.clear()
    assert reindex.post("/", data=body, headers=headers).status_code == 200
    asked = [re.sub(r".*/", "", unquote(urlsplit(each).path)) for each in gcs_server.requests]
    asked = [each for each in asked if not each.startswith("shop")]  # the SDK looks at each bucket when it likes
    assert asked == ["current.json", "sources.json.gz", "feed.csv", "gone.jpg"], "a feed may have come or changed"


def test_an_event_that_cannot_be_read_is_not_sent_again(gallery: str, capsys: pytest.CaptureFixture[str]) -> None:
    event = cloud_event("gcs_finalized")
    event.data.clear()
    headers, body = to_structured(event)
    assert client("reindex").post("/", data=body, headers=headers).status_code == 200
    assert "not a Cloud Storage event" in capsys.readouterr().out


@pytest.fixture
def no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REINDEX_SECONDS", "1")
    monkeypatch.setattr("functions.reindex.work._MARGIN_SHARE", 1)


def test_an_event_out_of_time_is_sent_again_and_continues(
    gcs_server: GcsServer, gallery: str, monkeypatch: pytest.MonkeyPatch, no_time: None
) -> None:
    monkeypatch.setenv("INDEX_URI", "gs://shop-index/first")  # so that all is new
    rebuild_first = [photo(colour) for colour in ("red", "green")]
    for number, content in enumerate(rebuild_first):
        open_writer(gallery).put(f"{number}.jpg", content)
    headers, body = to_structured(cloud_event("gcs_finalized", "photos/0.jpg"))
    reindex = client("reindex")
    answers = [reindex.post("/", data=body, headers=headers) for _ in range(3)]
    assert [each.status_code for each in answers] == [503, 200, 200]
    manifest, _ = fetch_pointer(open_reader("gs://shop-index/first"))
    assert manifest.count == 2


def test_a_schedule_out_of_time_asks_to_be_tried_again(gallery: str, no_time: None) -> None:
    for number in range(2):
        open_writer(gallery).put(f"{number}.jpg", photo("red"))
    scheduled = client("reindex_scheduled")
    answer = scheduled.post("/")
    assert (answer.status_code, answer.get_json()["outcome"], answer.get_json()["remaining"]) == (503, "unfinished", 1)
    answer = scheduled.post("/")
    assert (answer.status_code, answer.get_json()["outcome"]) == (200, "published")


def test_events_that_come_during_a_rebuild_share_the_next_one(gallery: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reindex, keys = client("reindex").application, [f"{number}.jpg" for number in range(8)]
    for key in keys:
        open_writer(gallery).put(key, photo("red"))
    began, go_on, rebuilds = threading.Event(), threading.Event(), []

    def slow(*arguments: Any, **options: Any) -> Summary:
        began.set()
        assert go_on.wait(10)
        rebuilds.append(options["keys"])
        return rebuild(*arguments, **options)

    def send(key: str) -> int:
        headers, body = to_structured(cloud_event("gcs_finalized", f"photos/{key}"))
        return reindex.test_client().post("/", data=body, headers=headers).status_code

    monkeypatch.setattr("functions.reindex.work.rebuild", slow)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(send, keys[0])
        assert began.wait(10)
        others = [pool.submit(send, key) for key in keys[1:]]
        deadline = time.monotonic() + 10
        while len(coalescing._waiting) < 7 and time.monotonic() < deadline:
            time.sleep(0.01)
        go_on.set()
        assert {each.result() for each in [first, *others]} == {200}
    assert rebuilds == [{keys[0]}, set(keys[1:])]
    assert count() == 1 + 8


def test_a_failed_rebuild_fails_for_all_that_shared_it_but_not_for_the_next(
    gallery: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ReindexSettings.read({"INDEX_URI": "gs://shop-index", "GALLERY_URI": gallery})
    open_writer(gallery).put("new.jpg", photo("red"))
    monkeypatch.setattr("functions.reindex.work.rebuild", Mock(side_effect=StorageError("down")))
    with pytest.raises(StorageError, match="down"):
        coalescing.bring_up_to_date_together(WHOLE_GALLERY, settings)
    monkeypatch.setattr("functions.reindex.work.rebuild", rebuild)
    assert coalescing.bring_up_to_date_together(WHOLE_GALLERY, settings).outcome is Outcome.PUBLISHED


def test_the_schedule(gallery: str) -> None:
    open_writer(gallery).put("new.jpg", photo("red"))
    scheduled = client("reindex_scheduled")
    summary = scheduled.post("/").get_json()
    assert (summary["outcome"], summary["added"], summary["removed"]) == ("published", 1, 1)
    assert scheduled.post("/").get_json()["outcome"] == "unchanged"
    assert count() == 1
