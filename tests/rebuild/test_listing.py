"""What a rebuild learns from a listing: litter, archived objects, renamed and copied photos."""

from io import BytesIO
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from urllib3 import HTTPResponse

from embeddings.rebuild import Outcome, Shard
from embeddings.storage.http_errors import storage_error
from embeddings.storage.reader import Reader
from embeddings.storage.writers.s3 import S3Writer
from tests.rebuild.gallery import Shop
from tests.servers.s3 import S3Server

LITTER = (
    *(".DS_Store", "shirts/.DS_Store", "shirts/._red.jpg", "Thumbs.db"),
    *("a/desktop.ini", "__MACOSX/red.jpg", "x_$folder$"),
)


@pytest.fixture
def s3_shop(s3_server: S3Server) -> Shop:
    bucket = s3_server.new_bucket()
    shop = Shop(f"s3://{bucket}/gallery", f"s3://{bucket}/index")
    shop.put({"shirts/red.jpg": "red", "shirts/blue.jpg": "blue", "shoes/green.jpg": "green"})
    return shop


def test_litter_is_not_a_failed_photo(any_shop: Shop) -> None:
    any_shop.put(dict.fromkeys(LITTER, b"litter"))
    summary = any_shop.rebuild()
    assert (summary.count, summary.failed) == (3, 0)
    any_shop.put({"notes.txt": b"not litter"})
    assert any_shop.rebuild().failed == 1
    assert any_shop.rebuild(keys=[*LITTER, "shirts/red.jpg"]).outcome is Outcome.UNCHANGED


def test_a_renamed_folder_is_not_embedded_again(s3_shop: Shop) -> None:
    s3_shop.rebuild()
    before = s3_shop.load().gallery
    vectors = {key: before.vector(f"shirts/{key}") for key in ("red.jpg", "blue.jpg")}
    for key in vectors:
        s3_shop.photos.put(f"tops/{key}", s3_shop.photos.get(f"shirts/{key}").data)
        s3_shop.photos.delete([f"shirts/{key}"])
    summary = s3_shop.rebuild()
    assert (summary.outcome, summary.embedded, summary.added, summary.removed) == (Outcome.PUBLISHED, 0, 2, 2)
    after = s3_shop.load().gallery
    assert after.keys == ["shoes/green.jpg", "tops/blue.jpg", "tops/red.jpg"]
    for key, vector in vectors.items():
        assert (after.vector(f"tops/{key}") == vector).all()


def test_a_copy_is_not_embedded_again_and_keeps_its_own_key(s3_shop: Shop) -> None:
    s3_shop.rebuild()
    s3_shop.put({"new.jpg": "yellow"})
    s3_shop.photos.put("copy.jpg", s3_shop.photos.get("shirts/red.jpg").data)
    assert s3_shop.rebuild(keys=["copy.jpg", "new.jpg"]).embedded == 1
    gallery = s3_shop.load().gallery
    assert (gallery.vector("copy.jpg") == gallery.vector("shirts/red.jpg")).all()
    assert s3_shop.rebuild().outcome is Outcome.UNCHANGED


def test_shards_do_not_embed_what_was_renamed(s3_shop: Shop) -> None:
    s3_shop.rebuild()
    s3_shop.photos.put("tops/red.jpg", s3_shop.photos.get("shirts/red.jpg").data)
    s3_shop.photos.delete(["shirts/red.jpg"])
    parts = [s3_shop.rebuild(run="r", shard=Shard(number, 2)) for number in (1, 2)]
    assert [part.embedded for part in parts] == [0, 0]
    assert s3_shop.rebuild(run="r").count == 3
    assert "tops/red.jpg" in s3_shop.load().gallery.keys


def test_a_full_rebuild_embeds_renamed_photos_too(s3_shop: Shop) -> None:
    s3_shop.rebuild()
    s3_shop.photos.put("tops/red.jpg", s3_shop.photos.get("shirts/red.jpg").data)
    assert s3_shop.rebuild(full=True).embedded == 4


def test_an_equal_etag_in_a_folder_does_not_mean_equal_content(shop: Shop) -> None:
    """There, an ETag is a time and a size."""
    shop.rebuild()
    assert not any(each.hashed for each in shop.photos.list())
    shop.photos.put("copy.jpg", shop.photos.get("shirts/red.jpg").data)
    assert shop.rebuild().embedded == 1


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archived_object_is_refused_as_archived(s3_shop: Shop, storage_class: Any) -> None:
    writer = s3_shop.photos
    assert isinstance(writer, S3Writer)
    s3_shop.rebuild()
    content = writer.get("shirts/red.jpg").data

    def store(key: str, data: bytes) -> None:
        writer._client.put_object(Bucket=writer._bucket, Key=f"gallery/{key}", Body=data, StorageClass=storage_class)

    store("new.jpg", content + b"\0")  # other content, so that it is not known
    store("shirts/red.jpg", content)  # the index has it already, and keeps it
    for scope in ({}, {"keys": ["new.jpg", "shirts/red.jpg"]}):
        summary = s3_shop.rebuild(**scope)
        assert (summary.count, summary.failed, summary.embedded) == (3, 1, 0)
        assert "archived" in summary.refusals["new.jpg"]
    writer.put("new.jpg", content + b"\0")
    assert s3_shop.rebuild().count == 4


def test_an_archived_object_is_refused_as_archived_if_only_reading_tells(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get(self: Reader, key: str, **_: object) -> None:
        raise storage_error(key, 403, "<Code>InvalidObjectState</Code>")

    monkeypatch.setattr(Reader, "get", get)
    summary = shop.rebuild()
    assert summary.failed == 3
    assert all("archived" in reason for reason in summary.refusals.values())


def test_a_listing_has_patience(s3_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 answers SlowDown for half a minute while it divides a bucket."""
    pauses: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", pauses.append)
    writer = s3_shop.photos
    assert isinstance(writer, S3Writer)
    refusals = iter(range(6))

    def slow_down(request: AWSPreparedRequest, **_: object) -> Any:
        if next(refusals, None) is None:
            return None
        body = BytesIO(b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
        return AWSResponse(request.url, 503, HTTPHeaders(), HTTPResponse(body, preload_content=False))

    writer._client.meta.events.register("before-send.s3.ListObjectsV2", slow_down)
    assert len(list(writer.list())) == 3
    assert next(refusals, None) is None
    assert len(pauses) >= 6
    assert sum(pauses) < 60
