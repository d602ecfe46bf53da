"""From the gallery's bucket through its queue and the re-index to the answers of a search that is already running."""

import base64
import json
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from functions.reindex.continuation import MOST_MESSAGES, from_message, to_message
from functions.reindex.work import Work
from tests.deployed.conftest import Deployment, Start
from tests.deployed.instance import Instance
from tests.photos import photo

EVENTS = Path(__file__).parents[1] / "functions" / "events"
REFRESH_SECONDS = 1
COLOURS = ["orange", "purple", "black", "pink", "navy", "olive", "teal", "brown", "gold", "grey"]
NO_TIME = 0.001

pytestmark = pytest.mark.slow


class Search:
    """A search function that stays warm."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._event = json.loads((EVENTS / "function_url_post_raw.json").read_text())

    def ask(self, content: bytes) -> list[dict[str, Any]]:
        event = {**self._event, "rawQueryString": "k=100", "body": base64.b64encode(content).decode()}
        answer = self._instance.invoke(event)
        assert answer["statusCode"] == 200, answer
        results: list[dict[str, Any]] = json.loads(answer["body"])["results"]
        return results

    def keys(self) -> set[str]:
        return {each["key"] for each in self.ask(photo("red"))}

    def keys_after_refresh(self) -> set[str]:
        """What it says after one refresh time, and not later."""
        time.sleep(REFRESH_SECONDS)
        return self.keys()


def test_photos_come_go_and_break(shop: Deployment, start: Start) -> None:
    search, reindex = Search(start("search")), start("reindex")
    expected = {"red.jpg", "green.jpg", "blue.jpg"}
    assert search.keys() == expected

    shop.put({"hüte/grün & 50%+.jpg": "olive", "new/pink.jpg": "pink", "new/gold.png": photo("gold", format="PNG")})
    expected |= {"hüte/grün & 50%+.jpg", "new/pink.jpg", "new/gold.png"}
    assert shop.queue.deliver(reindex) == 0
    (rebuild,) = reindex.rebuilds()
    assert (rebuild["outcome"], rebuild["embedded"]) == ("published", 3), "one rebuild for all messages"
    assert search.keys_after_refresh() == expected
    best = search.ask(photo("pink", (80, 100)))[0]
    assert best["key"] == "new/pink.jpg"
    with urllib.request.urlopen(best["url"]) as fetched:
        assert fetched.read() == shop.photos.get("new/pink.jpg").data

    shop.photos.delete(["new/pink.jpg"])
    assert shop.queue.deliver(reindex) == 0
    expected -= {"new/pink.jpg"}
    assert search.keys_after_refresh() == expected

    shop.put({"red.jpg": b"no photo any more", "new/teal.jpg": "teal"})
    assert shop.queue.deliver(reindex) == 0
    expected = expected - {"red.jpg"} | {"new/teal.jpg"}
    assert search.keys_after_refresh() == expected
    assert list(shop.sources().refusals) == ["red.jpg"]
    assert "not a JPEG" in shop.sources().refusals["red.jpg"].reason

    assert shop.queue.receive() == [], "the broken photo is not tried for ever"
    summary = start("reindex_scheduled").invoke(json.loads((EVENTS / "scheduled.json").read_text()))
    assert (summary["outcome"], summary["embedded"], summary["failed"]) == ("unchanged", 0, 1)


def test_the_schedule_finds_what_no_message_told(shop: Deployment, start: Start) -> None:
    shop.put({"lost.jpg": "pink"})
    shop.photos.delete(["blue.jpg"])
    shop.queue.client.purge_queue(QueueUrl=shop.queue.url)
    start("reindex_scheduled").invoke({})
    assert set(shop.load().gallery.keys) == {"red.jpg", "green.jpg", "lost.jpg"}


def test_what_cannot_finish_in_time_goes_on_through_the_queue(shop: Deployment, start: Start) -> None:
    reindex = start("reindex")
    generation = shop.load().manifest.generation
    keys = ["1.jpg", "2.jpg", "3.jpg"]
    shop.put(dict(zip(keys, COLOURS, strict=False)))
    assert shop.queue.deliver(reindex, NO_TIME) == 0
    assert reindex.rebuilds()[-1]["outcome"] == "unfinished"
    assert shop.load().manifest.generation == generation, "nothing half is published"
    assert len(shop.paths("checkpoints/")) == 1

    shop.put({"late.jpg": "grey"})  # its message comes in one batch with the re-index's own
    while records := shop.queue.receive():
        shop.queue.hand_over(records, reindex, NO_TIME)
    assert set(shop.load().gallery.keys) > {*keys, "late.jpg"}
    rebuilds = reindex.rebuilds()
    assert [each["outcome"] for each in rebuilds] == ["unfinished"] * 3 + ["published"]
    assert sum(each["embedded"] for each in rebuilds) == 4, "none twice"


def test_a_chain_ends_and_the_schedule_begins_another(shop: Deployment, start: Start) -> None:
    reindex, scheduled = start("reindex"), start("reindex_scheduled")
    photos = {f"{number}.jpg": photo("red", (80, 200 + number)) for number in range(8)}
    shop.put(photos)
    shop.queue.client.purge_queue(QueueUrl=shop.queue.url)
    shop.queue.send(to_message(Work(frozenset(photos), MOST_MESSAGES - 2)))
    for _ in range(2):
        assert shop.queue.deliver(reindex, NO_TIME) == 0
    assert shop.queue.receive() == []
    assert [each["outcome"] for each in reindex.rebuilds()] == ["unfinished"] * 2
    assert reindex.records()[-1]["severity"] == "WARNING"
    assert "waits for the schedule" in reindex.records()[-1]["message"]
    assert len(shop.load().gallery) == 3

    assert scheduled.invoke({}, NO_TIME)["outcome"] == "unfinished"
    (message,) = shop.queue.receive()
    assert from_message(message["body"]) == Work(None, 1)
    shop.queue.hand_over([message], reindex)
    assert set(shop.load().gallery.keys) > set(photos)
    assert sum(each["embedded"] for each in reindex.rebuilds() + scheduled.rebuilds()) == len(photos), "none twice"
    assert shop.paths("checkpoints/") == []


def test_two_at_once_lose_nothing(shop: Deployment, start: Start) -> None:
    instances = [start("reindex"), start("reindex")]
    keys: set[str] = set()
    met: list[str] = []
    while not met:  # the second to publish must notice
        new = {f"{len(keys)}/{number}.jpg": COLOURS[number] for number in range(6)}
        assert len(keys) < 60, "they never met"
        keys |= set(new)
        shop.put(new)
        records = shop.queue.receive()
        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(shop.queue.hand_over, [records[::2], records[1::2]], instances)) == [0, 0]
        assert set(shop.load().gallery.keys) > keys
        logged = [each["message"] for instance in instances for each in instance.records()]
        met = [message for message in logged if "comparing again" in message]


def test_an_unreadable_message_goes_back_alone_and_to_the_dead_letters(shop: Deployment, start: Start) -> None:
    reindex = start("reindex")
    shop.put({"new.jpg": "pink"})
    shop.queue.send("no notification")
    assert shop.queue.deliver(reindex) == 1
    assert "new.jpg" in shop.load().gallery.keys
    received = 1
    while records := shop.queue.receive():
        assert [each["body"] for each in records] == ["no notification"]
        shop.queue.hand_over(records, reindex)
        received += 1
        assert received < 10
    assert shop.queue.dead() == ["no notification"]
    assert len(reindex.rebuilds()) == 1


def test_a_rebuild_that_fails_loses_no_message(shop: Deployment, start: Start) -> None:
    reindex = start("reindex")
    pointer = shop.index_files.get("current.json").data
    shop.put({"new.jpg": "pink"})
    shop.photos.delete(["red.jpg"])
    shop.index_files.put("current.json", b"damaged")
    assert shop.queue.deliver(reindex) > 1
    shop.index_files.put("current.json", pointer)
    assert shop.queue.deliver(reindex) == 0
    assert set(shop.load().gallery.keys) == {"new.jpg", "green.jpg", "blue.jpg"}
