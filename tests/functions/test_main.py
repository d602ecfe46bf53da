"""The functions-framework targets for the re-index, as Google Cloud calls them."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cloudevents.conversion import to_binary, to_structured
from cloudevents.http import CloudEvent
from flask import Flask
from flask.testing import FlaskClient
from functions_framework import create_app

from embeddings.index.fetch import fetch_pointer
from embeddings.rebuild import rebuild
from embeddings.storage.reader import open_reader
from embeddings.storage.writer import open_writer
from tests.functions.conftest import MODEL
from tests.photos import photo
from tests.servers.gcs import GcsServer

MAIN = Path(__file__).parents[2] / "functions" / "main.py"
EVENTS = Path(__file__).parent / "events"


def client(target: str) -> FlaskClient:
    app: Flask = create_app(target, str(MAIN))  # type: ignore[no-untyped-call]
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
    return fetch_pointer(open_reader("gs://shop-index")).manifest.count


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
    monkeypatch.setattr("functions.reindex.rebuild", None)  # calling it would be an error
    for key in ("elsewhere/x.jpg", "photos", "photos2/x.jpg", "photos/folder/"):
        headers, body = to_structured(cloud_event("gcs_finalized", key))
        assert reindex.post("/", data=body, headers=headers).status_code == 200


def test_an_event_that_cannot_be_done_is_sent_again(gallery: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eventarc repeats what is not answered with success."""
    monkeypatch.setenv("INDEX_URI", "gs://shop/photos/index")
    headers, body = to_structured(cloud_event("gcs_finalized"))
    assert client("reindex").post("/", data=body, headers=headers).status_code == 500


def test_the_schedule(gallery: str) -> None:
    open_writer(gallery).put("new.jpg", photo("red"))
    scheduled = client("reindex_scheduled")
    summary = scheduled.post("/").get_json()
    assert (summary["outcome"], summary["added"], summary["removed"]) == ("published", 1, 1)
    assert scheduled.post("/").get_json()["outcome"] == "unchanged"
    assert count() == 1
