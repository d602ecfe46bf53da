"""Whichever call of storage fails, and however: readers see one whole generation, and the next rebuild repairs it."""

import shutil
import subprocess
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from embeddings.embedder import Embedder
from embeddings.errors import GalleryIndexError, GarmentSearchError, StorageError
from embeddings.rebuild import Outcome, Shard
from embeddings.rebuild.checkpoint import Checkpoint
from tests.rebuild.gallery import MODEL, Shop
from tests.servers.gcs import GcsServer, RefusedError
from tests.trust.faults import CALLS, GRAIN, NEW_KEYS, OLD_KEYS, TO_EMBED, WRITES, Fault, Kind, fill, injected

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow  # dozens of rebuilds each


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    fill(Shop(str(folder / "gallery"), str(folder / "index")))
    return folder


def copy(template: Path, to: Path) -> Shop:
    place = shutil.copytree(template, to)
    return Shop(str(place / "gallery"), str(place / "index"))


def check(shop: Shop) -> int:
    """Check what must hold after a fault; return how many photos need not be embedded again."""
    served = set(shop.load().gallery.keys)
    # The new generation may lack a photo that storage did not give. The next rebuild tries it again.
    new = served <= set(NEW_KEYS) and len(served) >= len(NEW_KEYS) - 1
    assert new or served == set(OLD_KEYS)
    spared = Checkpoint(shop.index_files, Embedder(MODEL))
    todo = [each for each in shop.photos.list() if each.key.startswith("new/") or each.key == "changes.jpg"]
    known = sum(spared.find(each.key, each.etag) is not None for each in todo)
    summary = shop.rebuild()
    if new:
        assert summary.embedded <= 1
    else:
        assert (summary.outcome, summary.embedded) == (Outcome.PUBLISHED, TO_EMBED - known)
    assert list(shop.load().gallery.keys) == NEW_KEYS
    assert summary.failed == 0
    assert shop.rebuild().outcome is Outcome.UNCHANGED
    return TO_EMBED if new else known


@pytest.mark.parametrize("kind", ["error", "timeout", "lost answer", "short read"])
def test_a_fault_at_every_call(template: Path, tmp_path: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embeddings.index.publish.time.sleep", lambda seconds: None)
    added: list[str] = []
    add = Checkpoint.add

    def noted(checkpoint: Checkpoint, key: str, *rest: Any) -> None:
        added.append(key)
        add(checkpoint, key, *rest)

    monkeypatch.setattr(Checkpoint, "add", noted)
    for at in count():
        shop, fault = copy(template, tmp_path / str(at)), Fault(kind, at)
        added.clear()
        with injected(fault), suppress(GarmentSearchError):
            shop.rebuild()
        done = len(added)
        known = check(shop)
        assert done - known <= GRAIN, f"more than a grain is done twice after call {at}, {fault.calls[at:][:1]}"
        if not fault.happened:
            break
    expected = {"error": CALLS, "timeout": CALLS, "lost answer": WRITES, "short read": ["LocalWriter.get"]}[kind]
    assert set(fault.calls) == set(expected)


def test_a_kill_at_every_call(template: Path, tmp_path: Path) -> None:
    places = killed(template, tmp_path, "rebuild")
    assert len(places) > 25
    for shop in places:
        check(shop)


def killed(template: Path, folder: Path, work: str) -> list[Shop]:
    """Return the shops after a kill at each call, in order. In the last one the work came to its end."""
    command = [sys.executable, "-m", "tests.trust.killed", str(template), str(folder), work]
    subprocess.run(command, cwd=ROOT, check=True, timeout=500, stderr=subprocess.DEVNULL)
    places = sorted(folder.iterdir(), key=lambda place: int(place.name))
    return [Shop(str(place / "gallery"), str(place / "index")) for place in places]


def test_a_run_of_shards_killed_at_every_call(template: Path, tmp_path: Path) -> None:
    """Shards and merge alike: what was killed runs again, and the merge comes to the same index."""
    places = killed(template, tmp_path, "shards")
    assert len(places) > 50
    for shop in places:
        served = list(shop.load().gallery.keys)
        assert served in (OLD_KEYS, NEW_KEYS)
        if merged(shop):
            assert served == NEW_KEYS
            assert shop.rebuild(run="first").outcome is Outcome.UNCHANGED
        else:
            with suppress(GalleryIndexError):  # it names the missing shards and publishes nothing
                shop.rebuild(run="first")
                assert list(shop.load().gallery.keys) == NEW_KEYS
        if not merged(shop):
            again = [shop.rebuild(run="first", shard=Shard(number, 2)) for number in (1, 2)]
            assert sum(each.embedded for each in again) <= TO_EMBED
            assert shop.rebuild(run="first").embedded == 0
        assert list(shop.load().gallery.keys) == NEW_KEYS
        assert [path for path in shop.paths("runs/") if path != "runs/first/run.json"] == []
        assert shop.rebuild().outcome is Outcome.UNCHANGED


def merged(shop: Shop) -> bool:
    return (
        "runs/first/run.json" in shop.paths("runs/")
        and b'"merged": true' in shop.index_files.get("runs/first/run.json").data
    )


@pytest.mark.parametrize("begins", range(0, 40, 6))
def test_an_outage_of_a_bucket_from_some_request_on(
    begins: int, gcs_server: GcsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over HTTP, as the real clients see it, until it ends."""
    from embeddings.storage.writers import gcs as gcs_module  # takes a second

    patient = gcs_module._RETRY
    gcs_server.buckets["shop"] = {}
    shop = Shop("gs://shop/gallery", "gs://shop/index")
    fill(shop)
    count = [0]

    def outage(request: str) -> None:
        count[0] += 1
        if count[0] > begins:
            raise RefusedError(503, "injected")

    monkeypatch.setattr(gcs_module, "_RETRY", patient.with_timeout(0.1).with_delay(0.02, 0.02))
    gcs_server.before_request = outage
    with suppress(StorageError):
        shop.rebuild()
    gcs_server.before_request = lambda request: None
    monkeypatch.setattr(gcs_module, "_RETRY", patient)
    check(shop)
