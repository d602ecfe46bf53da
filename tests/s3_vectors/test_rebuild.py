"""Rebuilds with the engine: what they put and delete; the setting, and the commands."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from embeddings.errors import GalleryIndexError, StorageUriError
from embeddings.index.publish import publish
from embeddings.rebuild import Outcome, s3_vectors
from functions.reindex.work import WHOLE_GALLERY, Work, bring_up_to_date
from functions.settings import ReindexSettings, SettingsError
from scripts import index_report, query, rebuild_embeddings
from tests.rebuild.gallery import Shop
from tests.s3_vectors.changes import CHANGED, MANY, change, deleted_keys, put_keys
from tests.s3_vectors.conftest import BUCKET, S3VectorsShop


def test_the_first_fill(shop: S3VectorsShop) -> None:
    summary = shop.rebuild()
    assert (summary.outcome, summary.count, summary.added) == (Outcome.PUBLISHED, 3, 3)
    shop.is_true()
    assert shop.load().gallery.folders == {"shirts": 2, "shoes": 1}
    assert not any("vectors.npy" in path or "checkpoints" in path for path in shop.paths())


@pytest.mark.parametrize("keys", [None, CHANGED], ids=["schedule", "event"])
def test_a_change_puts_and_deletes_only_what_changed(keys: tuple[str, ...] | None, shop: S3VectorsShop) -> None:
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
def test_nothing_to_do_publishes_nothing(keys: tuple[str, ...] | None, shop: S3VectorsShop) -> None:
    generation = shop.rebuild().generation
    shop.engine.requests.clear()
    summary = shop.rebuild(keys=keys, model=None)
    assert (summary.outcome, summary.generation, summary.count) == (Outcome.UNCHANGED, generation, 3)
    assert not put_keys(shop) + deleted_keys(shop)


def test_the_index_stays_where_it_is_without_the_setting(shop: S3VectorsShop) -> None:
    shop.rebuild()
    change(shop)
    shop.rebuild(vector_bucket="")
    shop.is_true()


def test_a_rebuild_of_one_folder(shop: S3VectorsShop) -> None:
    shop.rebuild()
    change(shop)
    summary = shop.rebuild(prefix="shirts")
    assert (summary.changed, summary.removed, summary.count) == (1, 0, 3)
    assert put_keys(shop) == ["shirts/red.jpg"]
    shop.rebuild()
    shop.is_true()


def test_a_first_fill_folder_by_folder(shop: S3VectorsShop) -> None:
    """For galleries that do not fit into memory."""
    for folder, count in (("shirts", 2), ("shoes", 3)):
        summary = shop.rebuild(prefix=folder)
        assert (summary.outcome, shop.manifest.count) == (Outcome.PUBLISHED, count)
    shop.is_true()
    assert shop.rebuild().outcome == Outcome.UNCHANGED


def test_a_dry_run_only_looks(shop: S3VectorsShop) -> None:
    assert shop.rebuild(dry_run=True).added == 3
    assert {name for name, _ in shop.engine.requests} == {"ListVectors"}
    shop.rebuild()
    change(shop)
    summary = shop.rebuild(dry_run=True)
    assert (summary.added, summary.changed, summary.removed) == (1, 1, 1)
    assert not put_keys(shop) + deleted_keys(shop)


def test_full_puts_everything_again(shop: S3VectorsShop) -> None:
    shop.rebuild()
    shop.engine.requests.clear()
    assert shop.rebuild(full=True).outcome == Outcome.PUBLISHED
    assert sorted(put_keys(shop)) == sorted(shop.etags())


def test_full_puts_everything_once_although_others_publish_meanwhile(
    shop: S3VectorsShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.rebuild()

    def after_an_event(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(s3_vectors, "publish", publish)
        shop.put({"hats/new.jpg": "yellow", "shirts/red.jpg": "purple"})
        shop.rebuild(keys=["hats/new.jpg", "shirts/red.jpg"], model=None)
        return publish(*arguments, **options)

    monkeypatch.setattr(s3_vectors, "publish", after_an_event)
    summary = shop.rebuild(full=True)
    assert (summary.outcome, summary.embedded) == (Outcome.PUBLISHED, 3 + 2)
    shop.is_true()


def test_unreadable_photos_and_unusable_keys_are_reported(shop: S3VectorsShop) -> None:
    shop.put({"broken.jpg": b"\xff\xd8\xff broken"})
    deep = f"{'deep/' * 100}a.jpg"
    shop.put({deep: "red"})
    summary = shop.rebuild()
    assert summary.count == 3
    assert "too long for a vector index" in summary.refusals[deep]
    assert "broken.jpg" in summary.refusals
    assert shop.rebuild(keys=["shirts/red.jpg"], model=None).failed == 2


def test_a_matrix_moves_without_embedding(shop: S3VectorsShop) -> None:
    Shop.rebuild(shop)
    before = shop.load().gallery
    shop.put({"shirts/red.jpg": "purple"})
    with pytest.raises(GalleryIndexError, match="the vector bucket changes, which concerns the whole gallery"):
        shop.rebuild(prefix="shirts")
    shop.rebuild(keys=["shirts/red.jpg"], model=None)  # an event leaves the vectors where they are
    assert (shop.manifest.vector_index, shop.engine.requests) == (None, [])
    shop.put({"shirts/red.jpg": "teal"})
    summary = shop.rebuild(model=None)
    assert (summary.embedded, summary.added, summary.count) == (1, 3, 3)
    shop.is_true()
    assert shop.load().gallery.vector("shirts/blue.jpg") == pytest.approx(before.vector("shirts/blue.jpg"), abs=1e-6)


def test_a_move_out_of_time_resumes(shop: S3VectorsShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embeddings.rebuild.s3_vectors.GRAIN", 4)
    shop.put(MANY)
    Shop.rebuild(shop)
    for left in (11, 7, 3):
        summary = shop.rebuild(model=None, stop_at=0.0)
        assert (summary.outcome, summary.embedded, summary.remaining) == (Outcome.UNFINISHED, 0, left)
        assert shop.manifest.vector_index is None
    assert shop.rebuild(model=None, stop_at=0.0).outcome == Outcome.PUBLISHED
    assert sorted(put_keys(shop)) == sorted(set(put_keys(shop)))
    shop.is_true()


def test_older_versions_see_another_format(shop: S3VectorsShop) -> None:
    formats = []
    for options in ({"vector_bucket": ""}, {}):
        shop.rebuild(**options)
        formats.append(json.loads(shop.index_files.get("current.json").data)["format"])
    assert formats == [1, 2]


def test_another_vector_bucket_is_filled_from_scratch(shop: S3VectorsShop) -> None:
    shop.rebuild()
    shop.engine.buckets["other"] = {}
    shop.rebuild(vector_bucket="other")
    assert shop.manifest.vector_index is not None
    assert shop.manifest.vector_index.bucket == "other"
    shop.is_true()
    with pytest.raises(StorageUriError, match="not the name of a vector bucket"):
        shop.rebuild(vector_bucket="Not One")


def test_two_galleries_share_a_bucket(shop: S3VectorsShop, tmp_path: Path) -> None:
    other = S3VectorsShop(str(tmp_path / "gallery2"), str(tmp_path / "index2"), shop.engine)
    other.put({"hats/a.jpg": "red"})
    shop.rebuild()
    other.rebuild()
    assert len(shop.engine.buckets[BUCKET]) == 2
    shop.is_true()
    other.is_true()


def test_the_last_photos_leave_only_on_purpose(shop: S3VectorsShop) -> None:
    shop.rebuild()
    keys = list(shop.etags())
    shop.photos.delete(keys)
    with pytest.raises(GalleryIndexError, match="none of the 3 photos"):
        shop.rebuild(may_empty=False)
    assert len(shop.etags()) == 3
    shop.rebuild(keys=keys, model=None)
    assert (shop.etags(), shop.manifest.count) == ({}, 0)


# From outside


def test_the_functions_setting(shop: S3VectorsShop, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"GALLERY_URI": shop.gallery, "INDEX_URI": shop.index, "VECTOR_BUCKET": BUCKET}
    bring_up_to_date(WHOLE_GALLERY, ReindexSettings.read(environment))
    shop.is_true()
    change(shop)
    bring_up_to_date(Work(frozenset(CHANGED)), ReindexSettings.read(environment))
    shop.is_true()
    with pytest.raises(SettingsError, match="VECTOR_BUCKET is 'My Bucket': give the name of a vector bucket"):
        ReindexSettings.read({**environment, "VECTOR_BUCKET": "My Bucket"})


def test_the_error_without_boto3_says_what_to_do(shop: S3VectorsShop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.rebuild()
    for module in ("rebuild.s3_vectors", "s3_vectors.gallery"):
        monkeypatch.setitem(sys.modules, f"embeddings.{module}", None)
    for ask in (shop.rebuild, shop.load):
        with pytest.raises(StorageUriError, match="needs boto3: pip install boto3"):
            ask()


def test_the_commands(shop: S3VectorsShop, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--gallery", shop.gallery, "--index", shop.index]
    assert rebuild_embeddings.main([*place, "--vector-bucket", "Not One"]) == 1
    assert "not the name of a vector bucket" in capsys.readouterr().err
    assert rebuild_embeddings.main([*place, "--vector-bucket", "nowhere"]) == 1
    assert "there is no such vector bucket" in capsys.readouterr().err
    assert rebuild_embeddings.main([*place, "--vector-bucket", BUCKET]) == 0
    shop.is_true()
    capsys.readouterr()
    assert query.main(["--index", shop.index, "--key", "shirts/red.jpg", "--k", "2", "--json"]) == 0
    assert "shirts/blue.jpg" in capsys.readouterr().out
    assert index_report.main(["--index", shop.index]) == 1
    assert "a report needs an index with a matrix" in capsys.readouterr().err
