"""Another model in the engine: its own vector index, the way back, and the end of the old one."""

from datetime import timedelta
from typing import Any

import pytest

from embeddings.index import history
from embeddings.index.history import release, rollback
from embeddings.rebuild import Outcome
from tests.rebuild.gallery import OTHER_MODEL
from tests.s3_vectors.changes import CHANGED, change
from tests.s3_vectors.conftest import BUCKET, S3VectorsShop


def test_the_pointer_moves_to_another_models_vectors_when_they_are_complete(
    shop: S3VectorsShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embeddings.rebuild.s3_vectors.GRAIN", 1)
    shop.rebuild()
    reader, first = shop.load(), shop.manifest.vector_index
    assert shop.rebuild(model=OTHER_MODEL, stop_at=0.0).outcome == Outcome.UNFINISHED
    assert len(shop.engine.buckets[BUCKET]) == 2
    assert shop.manifest.vector_index == first
    change(shop)
    shop.rebuild(keys=CHANGED, model=None)  # an event meanwhile goes to the current model
    assert shop.manifest.vector_index == first
    shop.is_true()

    shop.rebuild(model=OTHER_MODEL)
    second = shop.manifest.vector_index
    assert second != first
    shop.is_true()
    assert (shop.load().manifest.dimension, shop.vectors.dimension) == (12, 12)
    # A reader that has not looked at the pointer since still asks for vectors of its own model.
    [found] = reader.gallery.search(reader.gallery.vector("shirts/blue.jpg"), k=1)
    assert found.key == "shirts/blue.jpg"
    assert shop.rebuild(model=None).outcome == Outcome.UNCHANGED


def test_a_rollback_to_the_previous_model_is_held_and_released(shop: S3VectorsShop) -> None:
    shop.rebuild()
    first = shop.manifest.vector_index
    shop.rebuild(model=OTHER_MODEL)
    rollback(shop.index_files)
    assert shop.manifest.vector_index == first
    assert shop.load().gallery.vector("shirts/red.jpg").any()
    assert shop.rebuild(model=None).outcome == Outcome.HELD
    change(shop)
    release(shop.index_files)
    shop.rebuild(model=None)
    assert shop.manifest.vector_index == first
    shop.is_true()


def test_the_vectors_of_an_old_model_go_with_its_last_generation(
    shop: S3VectorsShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.rebuild()
    first = shop.manifest.vector_index
    assert first is not None
    shop.rebuild(model=OTHER_MODEL)
    monkeypatch.setattr(history, "KEEP_GENERATIONS", 1)
    change(shop)
    shop.rebuild(model=None)
    assert first.name in shop.engine.buckets[BUCKET]  # its generation was current within the last 24 hours
    monkeypatch.setattr(history, "GRACE", timedelta(0))
    shop.engine.buckets[BUCKET]["another-ones"] = shop.vectors
    shop.put({"hats/more.jpg": "pink"})
    shop.rebuild(model=None)
    assert sorted(shop.engine.buckets[BUCKET]) == ["another-ones", shop.manifest.vector_index.name]  # type: ignore[union-attr]
    shop.is_true()


def test_vectors_that_another_rebuild_has_just_pointed_to_again_stay(
    shop: S3VectorsShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.rebuild()
    first = shop.manifest.vector_index
    monkeypatch.setattr(history, "KEEP_GENERATIONS", 0)
    shop.rebuild(model=OTHER_MODEL)
    monkeypatch.setattr(history, "GRACE", timedelta(0))
    real = history.clean

    def after_another(*arguments: Any) -> int:
        monkeypatch.setattr("embeddings.rebuild.s3_vectors.clean", real)
        shop.rebuild()
        return real(*arguments)

    monkeypatch.setattr("embeddings.rebuild.s3_vectors.clean", after_another)
    change(shop)
    shop.rebuild(model=OTHER_MODEL)
    assert shop.manifest.vector_index == first
    shop.is_true()
