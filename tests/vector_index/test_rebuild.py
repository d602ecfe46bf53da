"""The rebuild of an index in the engine: what is put and deleted, and that any end of it is mended by the next run."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from embeddings.errors import CorruptIndexError, GalleryIndexError, GarmentSearchError, StorageUriError, UnknownKeyError
from embeddings.index import history
from embeddings.index.history import release, rollback
from embeddings.rebuild import Outcome, Summary, vectors
from embeddings.rebuild.scope import Listing, Scope
from functions.reindex import WHOLE_GALLERY, Work, bring_up_to_date
from functions.settings import Settings, SettingsError
from scripts import index_report, query, rebuild_embeddings
from tests.rebuild.gallery import OTHER_MODEL, Shop
from tests.servers.s3vectors import RefusedError
from tests.vector_index.conftest import BUCKET, VectorShop

ROOT = Path(__file__).parents[2]
MANY = {f"many/{number:02}.jpg": f"#{number:02x}{255 - number:02x}80" for number in range(12)}


def put_keys(shop: VectorShop) -> list[str]:
    return [each["key"] for asked in shop.engine.asked("PutVectors") for each in asked["vectors"]]


def deleted_keys(shop: VectorShop) -> list[str]:
    return [key for asked in shop.engine.asked("DeleteVectors") for key in asked["keys"]]


def change(shop: VectorShop) -> None:
    """One photo each is new, changed, gone."""
    shop.put({"hats/new.jpg": "yellow", "shirts/red.jpg": "purple"})
    shop.photos.delete(["shoes/green.jpg"])
    shop.engine.requests.clear()


CHANGED = ("hats/new.jpg", "shirts/red.jpg", "shoes/green.jpg")


def test_the_first_fill(shop: VectorShop) -> None:
    summary = shop.rebuild()
    assert (summary.outcome, summary.count, summary.added) == (Outcome.PUBLISHED, 3, 3)
    shop.is_true()
    assert shop.load().gallery.folders == {"shirts": 2, "shoes": 1}
    assert not any("vectors.npy" in path or "checkpoints" in path for path in shop.paths())


@pytest.mark.parametrize("keys", [None, CHANGED], ids=["schedule", "event"])
def test_a_change_puts_and_deletes_what_changed_and_nothing_else(
    keys: tuple[str, ...] | None, shop: VectorShop
) -> None:
    shop.rebuild()
    change(shop)
    summary = shop.rebuild(keys=keys, model=None)
    assert (summary.added, summary.changed, summary.removed, summary.count) == (1, 1, 1, 3)
    assert sorted(put_keys(shop)) == ["hats/new.jpg", "shirts/red.jpg"]
    assert deleted_keys(shop) == ["shoes/green.jpg"]
    shop.is_true()
    assert shop.load().gallery.folders == {"hats": 1, "shirts": 2}
    assert bool(shop.engine.asked("ListVectors")) == (keys is None)  # an event looks at its keys alone


@pytest.mark.parametrize("keys", [None, CHANGED])
def test_nothing_to_do_publishes_nothing(keys: tuple[str, ...] | None, shop: VectorShop) -> None:
    generation = shop.rebuild().generation
    shop.engine.requests.clear()
    summary = shop.rebuild(keys=keys, model=None)
    assert (summary.outcome, summary.generation, summary.count) == (Outcome.UNCHANGED, generation, 3)
    assert not put_keys(shop) + deleted_keys(shop)


def test_the_index_stays_where_it_is_without_the_setting(shop: VectorShop) -> None:
    shop.rebuild()
    change(shop)
    shop.rebuild(vector_bucket="")
    shop.is_true()


def test_one_folder(shop: VectorShop) -> None:
    shop.rebuild()
    change(shop)
    summary = shop.rebuild(prefix="shirts")
    assert (summary.changed, summary.removed, summary.count) == (1, 0, 3)
    assert put_keys(shop) == ["shirts/red.jpg"]
    shop.rebuild()
    shop.is_true()


def test_a_first_fill_folder_by_folder(shop: VectorShop) -> None:
    """What does not fit into memory at once."""
    for folder, count in (("shirts", 2), ("shoes", 3)):
        summary = shop.rebuild(prefix=folder)
        assert (summary.outcome, shop.manifest.count) == (Outcome.PUBLISHED, count)
    shop.is_true()
    assert shop.rebuild().outcome == Outcome.UNCHANGED


def test_a_dry_run_only_looks(shop: VectorShop) -> None:
    assert shop.rebuild(dry_run=True).added == 3
    assert {name for name, _ in shop.engine.requests} == {"ListVectors"}
    shop.rebuild()
    change(shop)
    summary = shop.rebuild(dry_run=True)
    assert (summary.added, summary.changed, summary.removed) == (1, 1, 1)
    assert not put_keys(shop) + deleted_keys(shop)


def test_full_puts_everything_again(shop: VectorShop) -> None:
    shop.rebuild()
    shop.engine.requests.clear()
    assert shop.rebuild(full=True).outcome == Outcome.PUBLISHED
    assert sorted(put_keys(shop)) == sorted(shop.etags())


def test_full_puts_everything_once_though_others_publish_meanwhile(
    shop: VectorShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.rebuild()
    real = vectors.publish

    def after_an_event(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(vectors, "publish", real)
        shop.put({"hats/new.jpg": "yellow", "shirts/red.jpg": "purple"})
        shop.rebuild(keys=["hats/new.jpg", "shirts/red.jpg"], model=None)
        return real(*arguments, **options)

    monkeypatch.setattr(vectors, "publish", after_an_event)
    summary = shop.rebuild(full=True)
    assert (summary.outcome, summary.embedded) == (Outcome.PUBLISHED, 3 + 2)
    shop.is_true()


def test_photos_and_keys_that_do_not_fit_are_reported(shop: VectorShop) -> None:
    shop.put({"broken.jpg": b"\xff\xd8\xff broken"})
    deep = f"{'deep/' * 100}a.jpg"
    shop.put({deep: "red"})
    summary = shop.rebuild()
    assert summary.count == 3
    assert "too long for a vector index" in summary.failures[deep]
    assert "broken.jpg" in summary.failures
    assert shop.rebuild(keys=["shirts/red.jpg"], model=None).failed == 2


def test_a_matrix_moves_without_embedding(shop: VectorShop) -> None:
    Shop.rebuild(shop)
    before = shop.load().gallery
    shop.put({"shirts/red.jpg": "purple"})
    with pytest.raises(GalleryIndexError, match="the vector bucket changes, which concerns the whole gallery"):
        shop.rebuild(prefix="shirts")
    shop.rebuild(keys=["shirts/red.jpg"], model=None)  # an event goes where the vectors are
    assert (shop.manifest.vector_index, shop.engine.requests) == (None, [])
    shop.put({"shirts/red.jpg": "teal"})
    summary = shop.rebuild(model=None)
    assert (summary.embedded, summary.added, summary.count) == (1, 3, 3)
    shop.is_true()
    assert shop.load().gallery.vector("shirts/blue.jpg") == pytest.approx(before.vector("shirts/blue.jpg"), abs=1e-6)


def test_a_move_out_of_time_goes_on_where_it_was(shop: VectorShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embeddings.rebuild.vectors.GRAIN", 4)
    shop.put(MANY)
    Shop.rebuild(shop)
    for left in (11, 7, 3):
        summary = shop.rebuild(model=None, stop_at=0.0)
        assert (summary.outcome, summary.embedded, summary.remaining) == (Outcome.UNFINISHED, 0, left)
        assert shop.manifest.vector_index is None
    assert shop.rebuild(model=None, stop_at=0.0).outcome == Outcome.PUBLISHED
    assert sorted(put_keys(shop)) == sorted(set(put_keys(shop)))
    shop.is_true()


def test_versions_that_know_of_no_vector_index_see_another_format(shop: VectorShop) -> None:
    formats = []
    for options in ({"vector_bucket": ""}, {}):
        shop.rebuild(**options)
        formats.append(json.loads(shop.index_files.get("current.json").data)["format"])
    assert formats == [1, 2]


def test_another_bucket_is_filled_anew(shop: VectorShop) -> None:
    shop.rebuild()
    shop.engine.buckets["other"] = {}
    shop.rebuild(vector_bucket="other")
    assert shop.manifest.vector_index is not None
    assert shop.manifest.vector_index.bucket == "other"
    shop.is_true()
    with pytest.raises(StorageUriError, match="no name of a vector bucket"):
        shop.rebuild(vector_bucket="Not One")


def test_two_galleries_share_a_bucket(shop: VectorShop, tmp_path: Path) -> None:
    other = VectorShop(str(tmp_path / "gallery2"), str(tmp_path / "index2"), shop.engine)
    other.put({"hats/a.jpg": "red"})
    shop.rebuild()
    other.rebuild()
    assert len(shop.engine.buckets[BUCKET]) == 2
    shop.is_true()
    other.is_true()


def test_the_last_photos_leave_only_if_somebody_means_it(shop: VectorShop) -> None:
    shop.rebuild()
    keys = list(shop.etags())
    shop.photos.delete(keys)
    with pytest.raises(GalleryIndexError, match="nothing of the 3 photos"):
        shop.rebuild(may_empty=False)
    assert len(shop.etags()) == 3
    shop.rebuild(keys=keys, model=None)
    assert (shop.etags(), shop.manifest.count) == ({}, 0)


# Ends


def is_mended(shop: VectorShop) -> Summary:
    shop.engine.before, shop.engine.after = lambda operation, asked: None, lambda operation: None
    summary = shop.rebuild(model=None)
    shop.is_true()
    assert shop.rebuild(model=None).outcome == Outcome.UNCHANGED
    return summary


@pytest.mark.parametrize("answer", ["refused", "lost"])
def test_an_engine_that_fails_at_any_call_leaves_what_the_next_run_mends(answer: str, shop: VectorShop) -> None:
    shop.rebuild()
    for at in (0, *range(15, 100)):  # the first sixteen calls are the listing's segments
        shop.photos.delete([key for key in shop.etags() if key.startswith("hats/")])
        shop.put({"shirts/red.jpg": f"#{at:02x}0000", f"hats/{at}.jpg": f"#00{at:02x}00"})
        shop.engine.requests.clear()

        def fail(*_: object, at: int = at) -> None:
            if len(shop.engine.requests) > at:
                raise RefusedError("AccessDeniedException", "injected")  # which no client repeats

        setattr(shop.engine, {"refused": "before", "lost": "after"}[answer], fail)
        try:
            shop.rebuild(model=None)
        except GarmentSearchError:
            is_mended(shop)
            continue
        assert at > 16  # put and deleted; the last call only tidies up
        is_mended(shop)
        return


_KILLED = """
import os, signal, sys
from embeddings.index import publish
publish.swap_pointer = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from tests.rebuild.gallery import MODEL, Shop
Shop(*sys.argv[1:3]).rebuild(vector_bucket="shop", model=None if sys.argv[3] else MODEL)
"""


def killed_before_the_pointer(shop: VectorShop, *, later: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, shop.gallery, shop.index, "later" * later], cwd=ROOT, env=os.environ
    )
    assert done.returncode == -signal.SIGKILL


def test_killed_between_the_puts_and_the_pointer(shop: VectorShop) -> None:
    killed_before_the_pointer(shop, later=False)
    assert put_keys(shop)
    summary = shop.rebuild()
    assert (summary.embedded, summary.count) == (0, 3)  # what was put is found there
    shop.is_true()
    reader = shop.load()

    change(shop)
    killed_before_the_pointer(shop, later=True)
    # Its generation is as it was, and what a reader sees is at least as new.
    assert shop.manifest.generation == reader.manifest.generation
    assert reader.gallery.vector("hats/new.jpg").any()
    with pytest.raises(UnknownKeyError):
        reader.gallery.vector("shoes/green.jpg")

    shop.photos.delete(["hats/new.jpg"])  # what the killed run has put is never published
    summary = is_mended(shop)
    assert (summary.outcome, summary.count) == (Outcome.PUBLISHED, 2)


def test_a_run_out_of_time_goes_on_where_it_was(shop: VectorShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embeddings.rebuild.vectors.GRAIN", 4)
    shop.put(MANY)
    runs = 0
    while (summary := shop.rebuild(stop_at=0.0)).outcome == Outcome.UNFINISHED:
        runs += 1
        assert summary.embedded == 1
        assert not (Path(shop.index) / "current.json").exists()
    assert runs == 14
    assert sorted(put_keys(shop)) == sorted(set(put_keys(shop)))  # nothing twice
    shop.is_true()


def test_unreadable_photos_do_not_keep_a_chain_of_runs_from_its_end(shop: VectorShop) -> None:
    """They leave no vector that says that they were looked at."""
    shop.put({"a.jpg": b"no photo", "b.jpg": b"no photo"})
    for left in (4, 3, 2, 1):
        summary = shop.rebuild(stop_at=0.0)
        assert (summary.outcome, summary.embedded, summary.remaining) == (Outcome.UNFINISHED, 1, left)
    summary = shop.rebuild(stop_at=0.0)
    assert (summary.outcome, summary.count, list(summary.failures)) == (Outcome.PUBLISHED, 3, ["a.jpg", "b.jpg"])
    assert shop.paths("checkpoints/") == []
    shop.put({"a.jpg": "pink", "b.jpg": "navy"})
    shop.rebuild(model=None)
    shop.is_true()


def test_many_at_once(shop: VectorShop) -> None:
    shop.rebuild()
    shop.put(MANY)
    shop.photos.delete(["shoes/green.jpg"])
    parts: list[dict[str, Any]] = [{"keys": [*list(MANY)[start::3], "shoes/green.jpg"]} for start in range(3)]
    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(shop.rebuild, model=None, **part) for part in [*parts, {}]]
        assert {each.result().outcome for each in done} <= {Outcome.PUBLISHED, Outcome.UNCHANGED}
    is_mended(shop)


def test_a_late_put_of_what_has_changed_since_is_corrected(shop: VectorShop) -> None:
    shop.rebuild()
    shop.put({"shirts/red.jpg": "purple"})
    overtaken: list[str] = []

    def overtake(operation: str, asked: dict[str, Any]) -> None:
        if operation == "PutVectors" and not overtaken:
            overtaken.append(operation)
            shop.put({"shirts/red.jpg": "teal"})
            shop.rebuild(keys=["shirts/red.jpg"], model=None)  # publishes teal; then purple is put over it

    shop.engine.before = overtake
    shop.rebuild(keys=["shirts/red.jpg"], model=None)
    assert overtaken
    shop.is_true()


def test_a_photo_that_another_run_puts_meanwhile_is_not_taken_for_one_that_is_gone(
    shop: VectorShop, monkeypatch: pytest.MonkeyPatch
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


# Another model


def test_another_model_is_pointed_to_when_it_is_full(shop: VectorShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embeddings.rebuild.vectors.GRAIN", 1)
    shop.rebuild()
    reader, first = shop.load(), shop.manifest.vector_index
    assert shop.rebuild(model=OTHER_MODEL, stop_at=0.0).outcome == Outcome.UNFINISHED
    assert len(shop.engine.buckets[BUCKET]) == 2
    assert shop.manifest.vector_index == first
    change(shop)
    shop.rebuild(keys=CHANGED, model=None)  # an event meanwhile goes to the model that counts
    assert shop.manifest.vector_index == first
    shop.is_true()

    shop.rebuild(model=OTHER_MODEL)
    second = shop.manifest.vector_index
    assert second != first
    shop.is_true()
    assert (shop.load().manifest.dimension, shop.vectors.dimension) == (12, 12)
    # Who has not looked at the pointer since still asks the vectors of its own model.
    [found] = reader.gallery.search(reader.gallery.vector("shirts/blue.jpg"), k=1)
    assert found.key == "shirts/blue.jpg"
    assert shop.rebuild(model=None).outcome == Outcome.UNCHANGED


def test_a_rollback_to_the_model_before_is_held_and_released(shop: VectorShop) -> None:
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
    shop: VectorShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.rebuild()
    first = shop.manifest.vector_index
    assert first is not None
    shop.rebuild(model=OTHER_MODEL)
    monkeypatch.setattr(history, "KEEP_GENERATIONS", 1)
    change(shop)
    shop.rebuild(model=None)
    assert first.name in shop.engine.buckets[BUCKET]  # a generation of the last 24 hours
    monkeypatch.setattr(history, "GRACE", timedelta(0))
    shop.engine.buckets[BUCKET]["another-ones"] = shop.vectors
    shop.put({"hats/more.jpg": "pink"})
    shop.rebuild(model=None)
    assert sorted(shop.engine.buckets[BUCKET]) == ["another-ones", shop.manifest.vector_index.name]  # type: ignore[union-attr]
    shop.is_true()


def test_vectors_that_another_run_has_just_pointed_to_again_stay(
    shop: VectorShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.rebuild()
    first = shop.manifest.vector_index
    monkeypatch.setattr(history, "KEEP_GENERATIONS", 0)
    shop.rebuild(model=OTHER_MODEL)
    monkeypatch.setattr(history, "GRACE", timedelta(0))
    real = history.clean

    def after_another(*arguments: Any) -> int:
        monkeypatch.setattr("embeddings.rebuild.vectors.clean", real)
        shop.rebuild()
        return real(*arguments)

    monkeypatch.setattr("embeddings.rebuild.vectors.clean", after_another)
    change(shop)
    shop.rebuild(model=OTHER_MODEL)
    assert shop.manifest.vector_index == first
    shop.is_true()


def test_an_index_that_somebody_deleted_is_made_anew_only_in_full(shop: VectorShop) -> None:
    shop.rebuild()
    assert shop.manifest.vector_index is not None
    del shop.engine.buckets[BUCKET][shop.manifest.vector_index.name]
    for part in ({}, {"keys": ["shirts/red.jpg"]}, {"full": True, "prefix": "shirts"}):
        with pytest.raises(CorruptIndexError, match="--full"):
            shop.rebuild(model=None, **part)
    shop.rebuild(model=None, full=True)
    shop.is_true()


def test_a_damaged_pointer_is_replaced_by_what_is_there(shop: VectorShop) -> None:
    shop.rebuild()
    shop.index_files.put("current.json", b"damaged")
    with pytest.raises(CorruptIndexError):
        shop.rebuild()
    shop.rebuild(full=True)
    shop.is_true()


# From outside


def test_the_setting_of_the_functions(shop: VectorShop, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"GALLERY_URI": shop.gallery, "INDEX_URI": shop.index, "VECTOR_BUCKET": BUCKET}
    bring_up_to_date(WHOLE_GALLERY, Settings.for_reindex(environment))
    shop.is_true()
    change(shop)
    bring_up_to_date(Work(frozenset(CHANGED)), Settings.for_reindex(environment))
    shop.is_true()
    with pytest.raises(SettingsError, match="VECTOR_BUCKET is 'My Bucket': give the name of a vector bucket"):
        Settings.for_reindex({**environment, "VECTOR_BUCKET": "My Bucket"})


def test_without_boto3_it_is_said_what_to_do(shop: VectorShop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.rebuild()
    for module in ("rebuild.vectors", "vector_index.gallery"):
        monkeypatch.setitem(sys.modules, f"embeddings.{module}", None)
    for ask in (shop.rebuild, shop.load):
        with pytest.raises(StorageUriError, match="needs boto3: pip install boto3"):
            ask()


def test_the_commands(shop: VectorShop, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--gallery", shop.gallery, "--index", shop.index]
    assert rebuild_embeddings.main([*place, "--vector-bucket", "Not One"]) == 1
    assert "no name of a vector bucket" in capsys.readouterr().err
    assert rebuild_embeddings.main([*place, "--vector-bucket", "nowhere"]) == 1
    assert "there is no such vector bucket" in capsys.readouterr().err
    assert rebuild_embeddings.main([*place, "--vector-bucket", BUCKET]) == 0
    shop.is_true()
    capsys.readouterr()
    assert query.main(["--index", shop.index, "--key", "shirts/red.jpg", "--k", "2", "--json"]) == 0
    assert "shirts/blue.jpg" in capsys.readouterr().out
    assert index_report.main(["--index", shop.index]) == 1
    assert "the report needs a matrix" in capsys.readouterr().err
