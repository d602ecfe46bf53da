"""However a rebuild with the engine ends - failed, killed, out of time, overtaken - the next one repairs it."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from embeddings.errors import CorruptIndexError, GarmentSearchError, UnknownKeyError
from embeddings.rebuild import Outcome, Summary
from embeddings.rebuild.scope import Listing, Scope
from tests.s3_vectors.changes import MANY, change, deleted_keys, put_keys
from tests.s3_vectors.conftest import BUCKET, S3VectorsShop
from tests.servers.s3vectors import RefusedError

pytestmark = pytest.mark.slow  # dozens of rebuilds

ROOT = Path(__file__).parents[2]


def is_repaired(shop: S3VectorsShop) -> Summary:
    shop.engine.before, shop.engine.after = lambda operation, asked: None, lambda operation: None
    summary = shop.rebuild(model=None)
    shop.is_true()
    assert shop.rebuild(model=None).outcome == Outcome.UNCHANGED
    return summary


@pytest.mark.parametrize("answer", ["refused", "lost"])
def test_whichever_call_fails_the_next_rebuild_repairs_it(answer: str, shop: S3VectorsShop) -> None:
    shop.rebuild()
    for at in (0, *range(15, 100)):  # the first sixteen calls are segments of a listing
        shop.photos.delete([key for key in shop.etags() if key.startswith("hats/")])
        shop.put({"shirts/red.jpg": f"#{at:02x}0000", f"hats/{at}.jpg": f"#00{at:02x}00"})
        shop.engine.requests.clear()

        def fail(*_: object, at: int = at) -> None:
            if len(shop.engine.requests) > at:
                raise RefusedError("AccessDeniedException", "injected")  # no client repeats this one

        setattr(shop.engine, {"refused": "before", "lost": "after"}[answer], fail)
        try:
            shop.rebuild(model=None)
        except GarmentSearchError:
            is_repaired(shop)
            continue
        assert at > 16  # everything was put and deleted; the last call only cleans up
        is_repaired(shop)
        return


_KILLED = """
import os, signal, sys
from embeddings.index import publish
publish.swap_pointer = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from tests.rebuild.gallery import MODEL, Shop
Shop(*sys.argv[1:3]).rebuild(vector_bucket="shop", model=None if sys.argv[3] else MODEL)
"""


def killed_before_the_pointer(shop: S3VectorsShop, *, later: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, shop.gallery, shop.index, "later" * later], cwd=ROOT, env=os.environ
    )
    assert done.returncode == -signal.SIGKILL


def test_a_rebuild_killed_between_the_puts_and_the_pointer(shop: S3VectorsShop) -> None:
    killed_before_the_pointer(shop, later=False)
    assert put_keys(shop)
    summary = shop.rebuild()
    assert (summary.embedded, summary.count) == (0, 3)  # it finds what was put
    shop.is_true()
    reader = shop.load()

    change(shop)
    killed_before_the_pointer(shop, later=True)
    # The generation is the old one, and a reader's vectors are at least as new.
    assert shop.manifest.generation == reader.manifest.generation
    assert reader.gallery.vector("hats/new.jpg").any()
    with pytest.raises(UnknownKeyError):
        reader.gallery.vector("shoes/green.jpg")

    shop.photos.delete(["hats/new.jpg"])  # what the killed rebuild has put is never published
    summary = is_repaired(shop)
    assert (summary.outcome, summary.count) == (Outcome.PUBLISHED, 2)


def test_a_rebuild_out_of_time_resumes(shop: S3VectorsShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embeddings.rebuild.s3_vectors.GRAIN", 4)
    shop.put(MANY)
    runs = 0
    while (summary := shop.rebuild(stop_at=0.0)).outcome == Outcome.UNFINISHED:
        runs += 1
        assert summary.embedded == 1
        assert not (Path(shop.index) / "current.json").exists()
    assert runs == 14
    assert sorted(put_keys(shop)) == sorted(set(put_keys(shop)))  # nothing twice
    shop.is_true()


def test_unreadable_photos_do_not_make_a_chain_of_rebuilds_endless(shop: S3VectorsShop) -> None:
    """They leave no vector to show that a rebuild has tried them."""
    shop.put({"a.jpg": b"no photo", "b.jpg": b"no photo"})
    for left in (4, 3, 2, 1):
        summary = shop.rebuild(stop_at=0.0)
        assert (summary.outcome, summary.embedded, summary.remaining) == (Outcome.UNFINISHED, 1, left)
    summary = shop.rebuild(stop_at=0.0)
    assert (summary.outcome, summary.count, list(summary.refusals)) == (Outcome.PUBLISHED, 3, ["a.jpg", "b.jpg"])
    assert shop.paths("checkpoints/") == []
    shop.put({"a.jpg": "pink", "b.jpg": "navy"})
    shop.rebuild(model=None)
    shop.is_true()


def test_many_rebuilds_at_once(shop: S3VectorsShop) -> None:
    shop.rebuild()
    shop.put(MANY)
    shop.photos.delete(["shoes/green.jpg"])
    parts: list[dict[str, Any]] = [{"keys": [*list(MANY)[start::3], "shoes/green.jpg"]} for start in range(3)]
    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(shop.rebuild, model=None, **part) for part in [*parts, {}]]
        assert {each.result().outcome for each in done} <= {Outcome.PUBLISHED, Outcome.UNCHANGED}
    is_repaired(shop)


def test_a_late_put_of_an_outdated_photo_is_corrected(shop: S3VectorsShop) -> None:
    shop.rebuild()
    shop.put({"shirts/red.jpg": "purple"})
    overtaken: list[str] = []

    def overtake(operation: str, asked: dict[str, Any]) -> None:
        if operation == "PutVectors" and not overtaken:
            overtaken.append(operation)
            shop.put({"shirts/red.jpg": "teal"})
            shop.rebuild(keys=["shirts/red.jpg"], model=None)  # publishes teal, and then purple overwrites it

    shop.engine.before = overtake
    shop.rebuild(keys=["shirts/red.jpg"], model=None)
    assert overtaken
    shop.is_true()


def test_a_photo_that_another_rebuild_puts_meanwhile_is_not_taken_for_gone(
    shop: S3VectorsShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.rebuild()
    real = Scope.list

    def then_comes_another(*arguments: Any) -> Listing:
        listing = real(*arguments)
        monkeypatch.setattr(Scope, "list", real)
        shop.put({"hats/new.jpg": "yellow"})
        shop.rebuild(keys=["hats/new.jpg"], model=None)
        return listing

    monkeypatch.setattr(Scope, "list", then_comes_another)
    shop.rebuild(model=None)
    assert deleted_keys(shop) == []
    shop.is_true()


def test_only_a_full_rebuild_replaces_a_deleted_vector_index(shop: S3VectorsShop) -> None:
    shop.rebuild()
    assert shop.manifest.vector_index is not None
    del shop.engine.buckets[BUCKET][shop.manifest.vector_index.name]
    for part in ({}, {"keys": ["shirts/red.jpg"]}, {"full": True, "prefix": "shirts"}):
        with pytest.raises(CorruptIndexError, match="--full"):
            shop.rebuild(model=None, **part)
    shop.rebuild(model=None, full=True)
    shop.is_true()


def test_a_full_rebuild_replaces_a_damaged_pointer(shop: S3VectorsShop) -> None:
    shop.rebuild()
    shop.index_files.put("current.json", b"damaged")
    with pytest.raises(CorruptIndexError):
        shop.rebuild()
    shop.rebuild(full=True)
    shop.is_true()


@pytest.mark.parametrize("name", ["folders.json", "model"])
def test_lost_files_are_written_again(shop: S3VectorsShop, name: str) -> None:
    shop.rebuild()
    manifest = shop.load().manifest
    shop.index_files.delete([manifest.model_path if name == "model" else manifest.path(name)])
    with pytest.raises(CorruptIndexError):
        shop.load()
    repaired = shop.rebuild()
    assert (repaired.outcome, repaired.embedded) == (Outcome.PUBLISHED, 0)
    shop.is_true()
    assert shop.rebuild().outcome is Outcome.UNCHANGED
