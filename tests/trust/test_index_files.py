"""Files of the index that a stranger wrote: never executed, refused by name, and the last good generation stays."""

import gzip
import hashlib
import json
import os
import pickle
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embeddings.errors import CorruptIndexError
from embeddings.index.manifest import KEYS, POINTER, SOURCES, VECTORS, Manifest
from embeddings.index.sources import Sources
from embeddings.rebuild.checkpoint import Described, to_bytes
from functions.search.current_generation import CurrentGeneration
from tests.rebuild.gallery import CHECKPOINTS, OTHER_MODEL, Shop

MODEL = "model"


class Executed:
    """Makes a folder when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (self.marker,)


def pickled_npy(marker: Path) -> bytes:
    file = BytesIO()
    np.save(file, np.array([Executed(marker)], dtype=object), allow_pickle=True)
    return file.getvalue()


def other_vectors(shop: Shop) -> bytes:
    """A matrix of the right shape, for another gallery."""
    file = BytesIO()
    np.save(file, np.zeros_like(np.load(BytesIO(content(shop, VECTORS)))))
    return file.getvalue()


def reencoded(shop: Shop, dtype: str, value: float = 0) -> bytes:
    """A matrix of the right shape, in another encoding."""
    file = BytesIO()
    np.save(file, np.full_like(np.load(BytesIO(content(shop, VECTORS))), value, dtype=dtype))
    return file.getvalue()


def path(shop: Shop, name: str) -> str:
    manifest = Manifest.from_json(shop.index_files.get(POINTER).data)
    return manifest.model_path if name == MODEL else manifest.path(name)


def content(shop: Shop, name: str) -> bytes:
    return shop.index_files.get(path(shop, name)).data


def lie(shop: Shop, name: str, data: bytes) -> str:
    """Write the file and a pointer that vouches for it; return the file's path."""
    manifest = json.loads(shop.index_files.get(POINTER).data)
    entry = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    if name == MODEL:
        manifest["model"] = entry
    else:
        manifest["files"][name] = entry
    if b"'<f4'" in data[:64]:
        manifest["dtype"] = "float32"
    shop.index_files.put(POINTER, json.dumps(manifest).encode())
    shop.index_files.put(path(shop, name), data)
    return path(shop, name)


DAMAGES: dict[str, tuple[str, Callable[[Shop, Path], bytes]]] = {
    "matrix, truncated": (VECTORS, lambda shop, _: content(shop, VECTORS)[:-1]),
    "matrix, one bit": (VECTORS, lambda shop, _: content(shop, VECTORS)[:-1] + b"\x01"),
    "matrix, another one's": (VECTORS, lambda shop, _: other_vectors(shop)),
    "matrix, nothing": (VECTORS, lambda shop, _: b""),
    "matrix, NaN": (VECTORS, lambda shop, _: reencoded(shop, "<f4", np.nan)),
    "matrix, bytes the other way round": (VECTORS, lambda shop, _: reencoded(shop, ">f2")),
    "matrix, pickled": (VECTORS, lambda _, marker: pickled_npy(marker)),
    "keys, truncated": (KEYS, lambda shop, _: content(shop, KEYS)[:-5]),
    "keys, in another order": (KEYS, lambda shop, _: b"\n".join(content(shop, KEYS).split(b"\n")[::-1])),
    "keys, pickled": (KEYS, lambda _, marker: pickle.dumps(Executed(marker))),
    "model, another one": (MODEL, lambda shop, _: OTHER_MODEL.read_bytes()),
    "model, truncated": (MODEL, lambda shop, _: content(shop, MODEL)[:-100]),
    "model, a name that is no text": (MODEL, lambda shop, _: content(shop, MODEL).replace(b"_keras", b"\xf8keras")),
    "model, pickled": (MODEL, lambda _, marker: pickle.dumps(Executed(marker))),
}
LIES: dict[str, tuple[str, Callable[[Shop, Path], bytes]]] = {
    name: damage
    for name, damage in DAMAGES.items()
    # What has the right form under a checksum that fits cannot be told from the right one.
    if name not in ("matrix, one bit", "matrix, another one's", "model, truncated")
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("lying", [False, True])
def test_refused_by_name_while_the_last_good_generation_answers(
    shop: Shop, tmp_path: Path, damage: str, lying: bool, caplog: pytest.LogCaptureFixture
) -> None:
    if lying and damage not in LIES:
        return
    shop.rebuild()
    warm, marker = CurrentGeneration(shop.index, 0), tmp_path / "executed"
    good = warm.get()
    shop.put({"new.jpg": "black"})
    shop.rebuild()
    name, make = DAMAGES[damage]
    data = make(shop, marker)
    if lying:
        broken = lie(shop, name, data)
    else:
        broken = path(shop, name)
        shop.index_files.put(broken, data)
    if damage == "model, another one" and lying:
        broken = path(shop, VECTORS)  # which does not fit the model
    if name != MODEL or lying:  # otherwise it is the model that a warm process already has
        assert warm.get() is good
        assert warm.stale
        assert broken in caplog.text
    with pytest.raises(CorruptIndexError, match=broken):
        shop.load()
    with pytest.raises(CorruptIndexError, match=broken):
        CurrentGeneration(shop.index, 60).get()
    assert not marker.exists()


@pytest.mark.parametrize("pointer", ["old", "newer", "pickled", "a list", "truncated", "deep", "path", "huge"])
def test_pointers(shop: Shop, tmp_path: Path, pointer: str, caplog: pytest.LogCaptureFixture) -> None:
    shop.rebuild()
    warm = CurrentGeneration(shop.index, 0)
    good, right = warm.get(), shop.index_files.get(POINTER).data
    wrong = {
        "old": right.replace(b'"format": 1', b'"format": 0'),
        "newer": right.replace(b'"format": 1', b'"format": 2'),
        "pickled": pickle.dumps(Executed(tmp_path / "executed")),
        "a list": b"[1, 2]",
        "truncated": right[:-20],
        "deep": b"[" * 100_000,
        "path": right.replace(good.manifest.generation.encode(), b"../../secret"),
        "huge": right + b" " * 1_000_000,
    }[pointer]
    assert wrong != right
    shop.index_files.put(POINTER, wrong)
    assert warm.get() is good
    assert warm.stale
    assert POINTER in caplog.text
    with pytest.raises(CorruptIndexError, match=POINTER):
        shop.load()
    with pytest.raises(CorruptIndexError, match=POINTER):
        shop.rebuild()
    assert not (tmp_path / "executed").exists()
    assert shop.rebuild(full=True).count == 3
    assert warm.get().manifest.generation != good.manifest.generation


def test_a_huge_pointer_is_not_read_into_memory(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.rebuild()
    warm = CurrentGeneration(shop.index, 0)
    warm.get()
    shop.index_files.put(POINTER, shop.index_files.get(POINTER).data + b" " * 1_000_000)
    with pytest.raises(CorruptIndexError, match="at most 1000000"):
        shop.load()
    warm.get()
    assert "at most 1000000" in caplog.text


@pytest.mark.parametrize("sources", ["pickled", "deep", "cut"])
def test_sources_and_checkpoints(shop: Shop, tmp_path: Path, sources: str) -> None:
    shop.rebuild()
    marker = tmp_path / "executed"
    wrong = {
        "pickled": pickle.dumps(Executed(marker)),
        "deep": gzip.compress(b"[" * 1_000_000),
        "cut": content(shop, SOURCES)[:-10],
    }[sources]
    broken = lie(shop, SOURCES, wrong)
    shop.put({"new.jpg": "black"})
    assert len(shop.load().gallery) == 3, "queries never read the sources"
    with pytest.raises(CorruptIndexError, match=broken):
        shop.rebuild()
    for number, data in enumerate(
        (pickled_npy(marker), pickle.dumps(Executed(marker)), wrong, b"PK\x05\x06" + bytes(18))
    ):
        shop.index_files.put(f"{CHECKPOINTS}/{number}.npz", data)
    assert shop.rebuild(full=True).count == 4
    assert shop.paths("checkpoints/") == [], "it read all checkpoints"
    assert not marker.exists()


def test_sources_of_another_gallery(shop: Shop) -> None:
    shop.rebuild()
    others = {f"{number}.jpg": "x" for number in range(5)}
    broken = lie(shop, SOURCES, Sources({**others, **etags_of(shop)}).to_bytes())
    shop.put({"new.jpg": "black"})
    with pytest.raises(CorruptIndexError, match=broken):
        shop.rebuild()
    assert shop.rebuild(full=True).count == 4


def etags_of(shop: Shop) -> dict[str, str]:
    return {each.key: each.etag for each in shop.photos.list()}


def test_a_model_of_another_length(shop: Shop) -> None:
    """A rebuild would mix vectors of two lengths."""
    shop.rebuild()
    lie(shop, MODEL, OTHER_MODEL.read_bytes())
    shop.put({"new.jpg": "black"})
    with pytest.raises(CorruptIndexError, match="dimension 48, its model 12"):
        shop.rebuild(model=None)


def test_a_checkpoint_of_another_length(shop: Shop) -> None:
    """It was filed under this model by mistake, and must not fail every rebuild."""
    photos = etags_of(shop)
    strange: Any = {key: (etag, Described(np.zeros(12, np.float16))) for key, etag in photos.items()}
    shop.index_files.put(f"{CHECKPOINTS}/strange.npz", to_bytes(strange))
    wide: Any = {key: (etag, Described(np.zeros(48, np.float32))) for key, etag in photos.items()}
    shop.index_files.put(f"{CHECKPOINTS}/wide.npz", to_bytes(wide))
    assert shop.rebuild().embedded == len(photos) == 3
    assert shop.paths("checkpoints/") == [], "it read both checkpoints"
    assert np.linalg.norm(shop.load().gallery.vector(min(photos))) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("size", "broken"), [(10**13, POINTER), (10**10, VECTORS)])
def test_a_file_that_should_be_terabytes(shop: Shop, size: int, broken: str) -> None:
    """No memory is set aside for it, and it takes no time."""
    shop.rebuild()
    manifest = json.loads(shop.index_files.get(POINTER).data)
    manifest["files"][VECTORS]["size"] = size
    shop.index_files.put(POINTER, json.dumps(manifest).encode())
    started = time.monotonic()
    with pytest.raises(CorruptIndexError, match=broken):
        shop.load()
    assert time.monotonic() - started < 5
