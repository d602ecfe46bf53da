import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embeddings.embedder import Embedder
from embeddings.errors import CorruptIndexError, GalleryIndexError, ModelError, StorageError, StorageUriError
from embeddings.index.manifest import POINTER, FileEntry
from embeddings.preprocess import Limits
from embeddings.rebuild import Outcome, rebuild
from embeddings.storage.reader import Fetched, Reader
from tests.photos import photo
from tests.rebuild.gallery import MODEL, OTHER_MODEL, Shop

ALL = ["shirts/blue.jpg", "shirts/red.jpg", "shoes/green.jpg"]


def counts(summary: object) -> tuple[int, ...]:
    return tuple(getattr(summary, name) for name in ("added", "changed", "removed", "failed", "embedded"))


def test_a_gallery_becomes_searchable(any_shop: Shop) -> None:
    summary = any_shop.rebuild()
    assert (summary.outcome, summary.count) == (Outcome.PUBLISHED, 3)
    assert counts(summary) == (3, 0, 0, 0, 3)
    loaded = any_shop.load()
    assert loaded.manifest.generation == summary.generation
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", loaded.manifest.built_at)
    assert list(loaded.gallery.keys) == ALL
    query = Embedder(MODEL).embed([photo("blue", (80, 100))])[0]
    assert loaded.gallery.search(query, k=1) == [("shirts/blue.jpg", pytest.approx(1, abs=1e-3))]
    np.testing.assert_array_equal(loaded.embedder.embed([photo("red")]), Embedder(MODEL).embed([photo("red")]))


def test_only_what_is_new_or_changed_is_embedded(any_shop: Shop) -> None:
    any_shop.rebuild()
    any_shop.put({"shirts/red.jpg": "purple", "new.png": photo("black", format="PNG")})
    any_shop.photos.delete(["shoes/green.jpg"])
    summary = any_shop.rebuild()
    assert counts(summary) == (1, 1, 1, 0, 2)
    gallery = any_shop.load().gallery
    assert list(gallery.keys) == ["new.png", "shirts/blue.jpg", "shirts/red.jpg"]
    fresh = Embedder(MODEL).embed([photo(colour, (80, 100)) for colour in ("blue", "purple")])
    for key, vector in zip(gallery.keys[1:], fresh, strict=True):
        np.testing.assert_allclose(gallery.vector(key), vector, atol=1e-3)


def test_nothing_to_do_publishes_nothing(any_shop: Shop) -> None:
    first = any_shop.rebuild()
    before = any_shop.paths()
    again = any_shop.rebuild()
    assert (again.outcome, again.generation, again.count) == (Outcome.UNCHANGED, first.generation, 3)
    assert counts(again) == (0, 0, 0, 0, 0)
    assert any_shop.paths() == before


def test_keys_say_where_to_look_and_the_present_state_counts(any_shop: Shop) -> None:
    any_shop.rebuild()
    any_shop.put({"a.jpg": "white", "b.jpg": "black", "ü b+c%2F.jpg": "grey"})
    any_shop.photos.delete(["shirts/red.jpg", "shoes/green.jpg"])
    summary = any_shop.rebuild(keys=["a.jpg", "shirts/red.jpg", "never-was.jpg", "ü b+c%2F.jpg", "a//b", ""])
    assert counts(summary) == (2, 0, 1, 0, 2)
    assert list(any_shop.load().gallery.keys) == ["a.jpg", "shirts/blue.jpg", "shoes/green.jpg", "ü b+c%2F.jpg"]
    assert any_shop.rebuild(keys=["a.jpg", "shirts/red.jpg"]).outcome is Outcome.UNCHANGED


def test_an_event_before_the_first_rebuild_indexes_everything(shop: Shop) -> None:
    assert shop.rebuild(keys=["shirts/red.jpg"]).count == 3


def test_a_prefix_looks_at_one_folder(shop: Shop) -> None:
    shop.rebuild()
    shop.put({"shirts/new.jpg": "pink", "shoes/new.jpg": "pink", "shirts-old/new.jpg": "pink"})
    assert counts(shop.rebuild(prefix="shirts")) == (1, 0, 0, 0, 1)
    shop.photos.delete(["shirts/red.jpg", "shoes/green.jpg"])
    assert counts(shop.rebuild(prefix="shirts/")) == (0, 0, 1, 0, 0)
    assert counts(shop.rebuild()) == (2, 0, 1, 0, 2)


def test_unreadable_objects_are_recorded_and_stop_nothing(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.put({"notes.txt": b"hello", "cut.jpg": photo("red")[:700], "empty.jpg": b"", "large.jpg": photo("red")})
    limits = Limits(max_bytes=len(photo("red")) - 1)
    caplog.set_level(logging.INFO)
    summary = shop.rebuild(limits=limits)
    assert counts(summary)[:4] == (3, 0, 0, 4)
    assert summary.failed_new == 4
    assert "notes.txt" in caplog.text
    assert shop.load().manifest.failed == 4
    again = shop.rebuild(limits=limits)
    assert (again.outcome, again.failed, again.failed_new, again.embedded) == (Outcome.UNCHANGED, 4, 0, 0)
    shop.put({"cut.jpg": "red"})
    shop.photos.delete(["notes.txt"])
    mended = shop.rebuild(limits=limits)
    assert (mended.added, mended.failed, mended.count) == (1, 2, 4)


def test_a_photo_of_exactly_the_allowed_size_is_indexed(shop: Shop) -> None:
    size = max(each.size for each in shop.photos.list())
    assert shop.rebuild(limits=Limits(max_bytes=size)).failed == 0
    assert shop.rebuild(limits=Limits(max_bytes=size - 1), full=True).failed > 0


def test_a_photo_that_becomes_unreadable_leaves_the_index(shop: Shop) -> None:
    shop.rebuild()
    shop.put({"shirts/red.jpg": b"no longer a photo"})
    summary = shop.rebuild()
    assert (summary.removed, summary.failed, summary.count) == (1, 1, 2)


def test_keys_not_in_normal_form_are_refused(s3_server, tmp_path: Path) -> None:
    bucket = s3_server.new_bucket()
    shop = Shop(f"s3://{bucket}/gallery", str(tmp_path / "index"))
    for key in (
        "fine.jpg",
        "a//b.jpg",
        "../up.jpg",
        "line\nbreak.jpg",
        "/lead.jpg",
    ):  # boto3 would refuse to send some of these
        s3_server.put(bucket, f"gallery/{key}", photo("red"))
    summary = shop.rebuild()
    assert (summary.count, summary.failed) == (1, 4)
    assert shop.rebuild().outcome is Outcome.UNCHANGED


def test_an_empty_gallery_is_an_empty_index(shop: Shop) -> None:
    shop.rebuild()
    shop.photos.delete(ALL)
    Path(shop.gallery).mkdir(exist_ok=True)
    summary = shop.rebuild()
    assert (summary.removed, summary.count) == (3, 0)
    assert len(shop.load().gallery) == 0
    shop.put({"one.jpg": "red"})
    assert shop.rebuild().count == 1
    assert shop.load().gallery.random_key() == "one.jpg"


def test_an_unattended_rebuild_does_not_empty_the_index(shop: Shop) -> None:
    shop.rebuild()
    shop.photos.delete(ALL)
    Path(shop.gallery).mkdir(exist_ok=True)
    with pytest.raises(GalleryIndexError, match="none of the 3 photos"):
        shop.rebuild(may_empty=False)
    assert len(shop.load().gallery) == 3


def test_the_last_image_can_go_although_storage_does_not_give_the_others(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Reader.get

    def fails(self: Reader, key: str, **options: Any) -> Fetched:
        if key != "shirts/red.jpg":
            raise StorageError("archived")
        return real(self, key, **options)

    monkeypatch.setattr(Reader, "get", fails)
    assert counts(shop.rebuild()) == (1, 0, 0, 2, 3)
    shop.photos.delete(["shirts/red.jpg"])
    assert shop.rebuild(keys=["shirts/red.jpg"]).count == 0  # an event looks at nothing else
    with pytest.raises(StorageError, match="storage gave none"):
        shop.rebuild()


def test_a_missing_gallery_does_not_empty_the_index(shop: Shop, tmp_path: Path) -> None:
    shop.rebuild()
    Path(shop.gallery).rename(tmp_path / "moved")
    with pytest.raises(StorageError, match="no such folder"):
        shop.rebuild()
    assert len(shop.load().gallery) == 3


def test_a_dry_run_writes_nothing(shop: Shop) -> None:
    summary = shop.rebuild(dry_run=True)
    assert (summary.outcome, summary.added, summary.generation) == (Outcome.DRY_RUN, 3, None)
    assert not Path(shop.index).exists()
    shop.rebuild()
    before = shop.paths()
    shop.put({"shirts/red.jpg": "purple"})
    shop.photos.delete(["shoes/green.jpg"])
    assert counts(shop.rebuild(dry_run=True)) == (0, 1, 1, 0, 0)
    assert shop.paths() == before


def test_a_new_refusal_is_published_though_nothing_else_changes(shop: Shop) -> None:
    shop.rebuild()
    shop.put({"notes.txt": b"hello"})
    summary = shop.rebuild()
    assert (summary.outcome, summary.failed_new) == (Outcome.PUBLISHED, 1)
    assert summary.refusals == {"notes.txt": "this is not a JPEG, PNG or WebP image; convert it and retry"}
    assert (shop.rebuild().outcome, shop.rebuild().failed_new) == (Outcome.UNCHANGED, 0)


def test_larger_limits_admit_photos_that_were_too_large(shop: Shop) -> None:
    shop.rebuild(limits=Limits(max_bytes=500))
    assert shop.load().manifest.failed == 3
    assert shop.rebuild().count == 3


def test_a_photo_that_the_model_cannot_embed_stops_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Embedder.describe_pixels

    def no_answer_to_red(self: Embedder, pixels: np.ndarray) -> object:
        if pixels[80, 80].tolist()[1] < 60 < pixels[80, 80].tolist()[0]:
            raise ModelError("zeros")
        return real(self, pixels)

    monkeypatch.setattr(Embedder, "describe_pixels", no_answer_to_red)
    summary = shop.rebuild()
    assert (summary.count, list(summary.refusals)) == (2, ["shirts/red.jpg"])


def test_a_broken_model_publishes_nothing(shop: Shop) -> None:
    with pytest.raises(ModelError, match="NaN"):
        shop.rebuild(model=MODEL.with_name("nan.tflite"))
    assert not shop.paths("generations/") if Path(shop.index).exists() else True


def test_an_event_for_a_key_not_in_normal_form_changes_nothing(s3_server, tmp_path: Path) -> None:
    bucket = s3_server.new_bucket()
    shop = Shop(f"s3://{bucket}/gallery", str(tmp_path / "index"))
    for key in ("fine.jpg", "a//b.jpg"):
        s3_server.put(bucket, f"gallery/{key}", photo("red"))
    shop.rebuild()
    assert shop.rebuild(keys=["a//b.jpg"]).outcome is Outcome.UNCHANGED


def test_a_slash_is_the_whole_gallery(shop: Shop) -> None:
    assert shop.rebuild(prefix="/").count == 3
    assert shop.load().gallery.random_key("/")


def test_full_embeds_everything_again(shop: Shop) -> None:
    shop.rebuild()
    assert counts(shop.rebuild(full=True)) == (0, 0, 0, 0, 3)
    summary = shop.rebuild(full=True, prefix="shirts")
    assert (summary.embedded, summary.count) == (2, 3)


def test_another_model_embeds_everything_again(shop: Shop) -> None:
    shop.rebuild()
    with pytest.raises(GalleryIndexError, match="without --prefix"):
        shop.rebuild(model=OTHER_MODEL, prefix="shirts")
    assert shop.rebuild(model=OTHER_MODEL, keys=["shirts/red.jpg"]).embedded == 3
    loaded = shop.load()
    assert loaded.gallery.dimension == loaded.embedder.dimension == 12


def test_without_a_model_the_index_keeps_its_own(shop: Shop) -> None:
    shop.rebuild(model=OTHER_MODEL)
    shop.put({"new.jpg": "red"})
    assert shop.rebuild(model=None).embedded == 1
    assert shop.load().gallery.dimension == 12


def test_another_preprocessing_embeds_everything_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.rebuild()
    for module in ("rebuild.last_generation", "rebuild.checkpoint", "index.publish", "index.generation"):
        monkeypatch.setattr(f"embeddings.{module}.PREPROCESS_VERSION", 99)
    with pytest.raises(CorruptIndexError, match="rebuild the index"):
        shop.load()
    assert shop.rebuild().embedded == 3
    assert shop.load().manifest.preprocess == 99


@pytest.mark.parametrize(
    ("gallery", "index"),
    [
        ("s3://b/photos", "s3://b/photos/index"),
        ("s3://b", "s3://b/index"),
        ("s3://b/x/photos", "s3://b/x"),
        ("gs://b/photos", "gs://b/photos/"),
        ("/tmp/photos", "/tmp/photos/../photos/index"),
    ],
)
def test_index_and_gallery_inside_one_another_are_refused(gallery: str, index: str) -> None:
    with pytest.raises(StorageUriError, match="one inside the other"):
        rebuild(gallery, index)


def test_neighbouring_prefixes_are_fine(s3_server) -> None:
    bucket = s3_server.new_bucket()
    shop = Shop(f"s3://{bucket}/photos", f"s3://{bucket}/photos-index")
    shop.put({"a.jpg": "red"})
    shop.rebuild()
    assert shop.rebuild().count == 1


@pytest.mark.parametrize("damaged", ["pointer", "sources.json.gz", "model"])
def test_a_damaged_index_is_replaced_by_a_full_rebuild_only(shop: Shop, damaged: str) -> None:
    shop.rebuild()
    manifest = shop.load().manifest
    path = {"pointer": POINTER, "model": manifest.model_path}.get(damaged, manifest.path(damaged))
    shop.index_files.put(path, b"garbage")
    shop.put({"new.jpg": "black"})
    with pytest.raises(CorruptIndexError, match="--full"):
        shop.rebuild(model=None)
    if damaged in ("pointer", "model"):
        with pytest.raises(GalleryIndexError, match="--model"):
            shop.rebuild(full=True, model=None)
    if damaged in ("pointer", "sources.json.gz"):
        with pytest.raises(GalleryIndexError, match=r"damaged.*without --prefix"):
            shop.rebuild(full=True, prefix="shirts")
    assert shop.rebuild(full=True).count == 4
    assert len(shop.load().gallery) == 4


@pytest.mark.parametrize("damaged", ["vectors.npy", "keys.txt", "model"])
@pytest.mark.parametrize("damage", [lambda data: data[:-1] + b"?", lambda data: data[:-10]], ids=["flipped", "short"])
def test_a_reader_refuses_damaged_files_by_name(shop: Shop, damaged: str, damage: Callable[[bytes], bytes]) -> None:
    shop.rebuild()
    manifest = shop.load().manifest
    path = manifest.model_path if damaged == "model" else manifest.path(damaged)
    shop.index_files.put(path, damage(shop.index_files.get(path).data))
    with pytest.raises(CorruptIndexError, match=path):
        shop.load()


def test_a_reader_refuses_a_model_of_another_dimension(shop: Shop) -> None:
    shop.rebuild()
    manifest, other = shop.load().manifest, OTHER_MODEL.read_bytes()
    lying = replace(manifest, model=FileEntry(hashlib.sha256(other).hexdigest(), len(other)))
    shop.index_files.put(lying.model_path, other)
    shop.index_files.put(POINTER, lying.to_json())
    with pytest.raises(CorruptIndexError, match="dimension 48, its model 12"):
        shop.load()


def test_progress_counts_to_the_end(shop: Shop) -> None:
    seen: list[tuple[int, int]] = []
    shop.rebuild(progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
