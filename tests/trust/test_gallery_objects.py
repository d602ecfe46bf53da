"""A gallery that strangers write to: every object is indexed or refused, none is executed, none leads elsewhere."""

import json
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from embeddings.errors import StorageError
from embeddings.rebuild import Outcome
from embeddings.storage.reader import open_reader
from functions.log import JsonFormatter
from functions.search.image_urls import ImageUrls
from functions.settings import SearchSettings
from tests.photos import photo
from tests.rebuild.gallery import Shop
from tests.servers.gcs import GcsServer
from tests.servers.s3 import S3Server

RED = photo("red", (40, 40))

INDEXED = (
    "größe/日本語 👗.jpg",
    "n" * 1020 + ".jpg",
    "$(touch executed).jpg",
    "; rm -rf ~ #.jpg",
    "'\"><script>alert(1)</script>.jpg",
    "{0}%s%(x)s.jpg",
    "C:\\windows\\system.jpg",
    "-rf",
    "~",
    "...",
    "a b+c%2F..%2Fd?x=1#y.jpg",
    "e\u0301.jpg",
    "\u202egpj.exe",
)
RECORDED = (
    "../../etc/passwd",
    "a/../../b.jpg",
    "a/./b.jpg",
    "a//b.jpg",
    "/etc/passwd",
    "line\nbreak.jpg",
    "carriage\rreturn.jpg",
    "nul\0.jpg",
    "escape\x1b[2J.jpg",
    "c1\x85.jpg",
)


@pytest.fixture(params=["s3", "gs"])
def strange(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    """A bucket with all of these objects."""
    if request.param == "s3":
        s3: S3Server = request.getfixturevalue("s3_server")
        bucket = s3.new_bucket()
        for key in (*INDEXED, *RECORDED):
            s3.put(bucket, f"gallery/{key}", RED)
    else:
        gcs: GcsServer = request.getfixturevalue("gcs_server")
        bucket = "shop"
        gcs.buckets[bucket] = {}
        for key in (*INDEXED, *RECORDED):
            gcs.write(bucket, f"gallery/{key}", RED, {}, None)
    return Shop(f"{request.param}://{bucket}/gallery", str(tmp_path / "index"))


def test_names(
    strange: Shop, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    summary = strange.rebuild()
    keys = list(strange.load().gallery.keys)
    # moto's listing loses what XML cannot carry, as S3's does without `EncodingType`.
    assert set(INDEXED) >= set(keys) >= set(INDEXED) - {"\u202egpj.exe"}
    assert set(summary.refusals) <= set(RECORDED)
    assert len(summary.refusals) >= len(RECORDED) - 3
    assert strange.rebuild().outcome is Outcome.UNCHANGED
    assert {path.name for path in tmp_path.iterdir()} == {"index"}, "something was written elsewhere"
    assert not (tmp_path / "executed").exists()
    for record in caplog.records:
        assert "\n" not in JsonFormatter().format(record)
        assert json.loads(JsonFormatter().format(record))["message"].isprintable()
    settings = SearchSettings.read({"INDEX_URI": "/x", "IMAGE_BASE_URL": "https://images.example/shop"})
    for url in ImageUrls(settings).of(keys):
        assert re.fullmatch(r"https://images\.example/shop/[A-Za-z0-9._~/%-]+", url)
    for key in keys:
        assert open_reader(strange.gallery).get(key).data == RED


CONTENTS = {
    "text.jpg": b"hello",
    "nothing.jpg": b"",
    "page.jpg": b"<html><script>alert(1)</script>",
    "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='http://127.0.0.1:9/'/></svg>",
    "script.py": b"import os; os.mkdir('executed')",
    "pickle.npy": b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    "animation.gif": b"GIF89a" + bytes(100),
    "postscript.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    "cut.png": photo("red", format="PNG")[:200],
    "huge.jpg": b"\xff\xd8\xff" + bytes(10_000_001),
    "both.jpg": RED + b"PK\x03\x04<?php system('x'); ?>",
}


def test_contents(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shop.put(CONTENTS)
    summary = shop.rebuild()
    assert summary.refusals.keys() == CONTENTS.keys() - {"both.jpg"}
    assert summary.count == 4
    assert not (tmp_path / "executed").exists()


def test_the_reason_of_a_refusal_is_one_short_line(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    shop.put(CONTENTS)
    for reason in shop.rebuild().refusals.values():
        assert reason.isprintable()
        assert len(reason) < 300


@pytest.mark.slow
@pytest.mark.parametrize(("any_shop", "count"), [("s3", 2), ("gs", 10), ("folder", 10)], indirect=["any_shop"])
def test_rebuilds_at_once(any_shop: Shop, count: int) -> None:
    """All look at the whole gallery while photos arrive. In the end the index has all of them."""
    any_shop.rebuild()
    any_shop.put({f"new/{number}.jpg": "navy" for number in range(6)})

    def rebuild(number: int) -> Outcome:
        any_shop.put({f"late/{number}.jpg": "olive"})
        return any_shop.rebuild().outcome

    with ThreadPoolExecutor(count) as pool:
        outcomes = set(pool.map(rebuild, range(count)))
    assert outcomes <= {Outcome.PUBLISHED, Outcome.UNCHANGED}
    generation = any_shop.load()
    assert len(generation.gallery) == 3 + 6 + count
    assert any_shop.rebuild().outcome is Outcome.UNCHANGED


def test_no_address_leads_out_of_the_gallery() -> None:
    """Whatever keys an index lists: browsers fold `..`, in a CDN's address too."""
    settings = SearchSettings.read({"INDEX_URI": "/x", "IMAGE_BASE_URL": "https://images.example/shop"})
    for key in ("../secret/1.jpg", "a/../../b.jpg", "a/./b.jpg", "/etc/passwd", "a//b.jpg", "..", ""):
        with pytest.raises(StorageError, match="cannot be used"):
            ImageUrls(settings).of(["right.jpg", key])
