"""What the model sees travels with the vectors, and is kept for photos that are not embedded again."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embeddings.embedder import Embedder
from embeddings.products.seen import Seen
from embeddings.rebuild import FeedOptions, Shard
from embeddings.rebuild.checkpoint import Checkpoint, Described, from_bytes, to_bytes
from tests.photos import photo
from tests.rebuild.gallery import MODEL, Shop
from tests.sights import write_seeing_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_seeing_model(tmp_path)


def seen(shop: Shop) -> dict[str, Any]:
    gallery = shop.load().gallery
    if not gallery.columns:
        return {}
    found = gallery.search(gallery.vector(gallery.keys[0]), k=100, fields=None)
    return {each.key: told for each, told in zip(found, found.seen, strict=True)}


def test_a_rebuild_writes_what_is_seen(shop: Shop, model: Path) -> None:
    shop.put({"a.jpg": "blue", "b.jpg": "red", "c.jpg": "black"})
    shop.rebuild(model=model)
    told = seen(shop)
    assert told["a.jpg"] == {"colour": "blue", "words": ["check"]}
    assert told["b.jpg"] == {"colour": "red"}
    assert told["c.jpg"] is None
    assert [each.name for each in shop.load().gallery.columns] == ["seen.colour", "seen.words"]


def test_what_was_seen_is_kept_with_the_vectors(shop: Shop, model: Path) -> None:
    shop.put({"a.jpg": "blue", "b.jpg": "red"})
    shop.rebuild(model=model)
    before = seen(shop)
    shop.put({"a.jpg": "lime", "z.jpg": "blue"})
    summary = shop.rebuild(model=None)
    assert summary.embedded == 2
    assert seen(shop) == {**before, "a.jpg": {"colour": "green"}, "z.jpg": {"colour": "blue", "words": ["check"]}}
    shop.photos.delete(["b.jpg"])
    shop.rebuild(model=None)
    assert "b.jpg" not in seen(shop)
    assert seen(shop)["z.jpg"] == {"colour": "blue", "words": ["check"]}


def test_another_model_that_does_not_tell_leaves_nothing(shop: Shop, model: Path) -> None:
    shop.put({"a.jpg": "blue"})
    shop.rebuild(model=model)
    shop.rebuild(model=MODEL)
    assert seen(shop) == {}
    assert not any(path.endswith("products.safetensors") for path in shop.paths(shop.load().manifest.path("")))


def test_a_feed_stands_beside_and_hidden_photos_keep_what_was_seen(shop: Shop, model: Path) -> None:
    shop.put({"a.jpg": "blue", "b.jpg": "red", "feed.csv": b"id,key,color\n1,a.jpg,navy\n"})
    shop.rebuild(model=model, feed=FeedOptions(hide_unlisted=True))
    gallery = shop.load().gallery
    assert gallery.keys == ["a.jpg"]
    found = gallery.search(gallery.vector("a.jpg"), fields=None)
    assert (found.products[0]["color"], found.seen[0]["colour"]) == (["navy"], "blue")
    summary = shop.rebuild(model=None, feed=FeedOptions(hide_unlisted=False))
    assert summary.embedded == 0
    assert seen(shop)["b.jpg"] == {"colour": "red"}


def test_a_lost_file_is_made_again_from_the_photos(shop: Shop, model: Path) -> None:
    shop.put({"a.jpg": "blue"})
    shop.rebuild(model=model)
    before = seen(shop)
    shop.index_files.delete([shop.load().manifest.path("products.safetensors")])
    assert shop.rebuild(model=None).embedded == len(before)
    assert seen(shop) == before


def test_shards_leave_what_they_saw_to_the_merge(shop: Shop, model: Path) -> None:
    shop.put({f"{number}.jpg": "blue" for number in range(6)})
    for number in (1, 2):
        shop.rebuild(model=model, run="r", shard=Shard(number, 2))
    assert shop.rebuild(model=model, run="r").embedded == 0
    told = seen(shop)
    assert all(told[f"{number}.jpg"] == {"colour": "blue", "words": ["check"]} for number in range(6))


def test_a_checkpoint_keeps_what_was_seen(shop: Shop, model: Path) -> None:
    embedder = Embedder(model)
    shop.put({"a.jpg": "blue"})
    before = Checkpoint(shop.index_files, embedder)
    vector = embedder.embed([photo("blue")])[0].astype("float16")
    before.add("a.jpg", shop.photos.stat("a.jpg").etag, Described(vector, Seen("shirts", words=("check",))))
    before.save()
    shop.rebuild(model=model)
    assert seen(shop)["a.jpg"] == {"kind": "shirts", "words": ["check"]}


def test_a_checkpoint_of_an_earlier_version_has_seen_nothing() -> None:
    vector = Embedder(MODEL).embed([photo("blue")])[0].astype("float16")
    content = to_bytes({"a.jpg": ("etag", Described(vector))})
    with np.load(io.BytesIO(content)) as stored:
        header = json.loads(stored["header"].tobytes())
        del header["seen"]
        old = io.BytesIO()
        np.savez(old, header=np.frombuffer(json.dumps(header).encode(), np.uint8), vectors=stored["vectors"])
    results, _ = from_bytes(old.getvalue())
    etag, described = results["a.jpg"]
    assert isinstance(described, Described)
    assert (etag, described.seen) == ("etag", Seen())
