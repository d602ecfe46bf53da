"""A rebuild of the whole gallery succeeds only if a function can load the index."""

from collections.abc import Callable

import pytest

from embeddings.errors import CorruptIndexError
from embeddings.rebuild import Outcome
from tests.rebuild.gallery import MODEL, Shop

DAMAGE: dict[str, Callable[[bytes], bytes | None]] = {
    "deleted": lambda _data: None,
    "cut": lambda data: data[:-10],
    "altered": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
}


def spoil(shop: Shop, path: str, how: str) -> None:
    damaged = DAMAGE[how](shop.index_files.get(path).data)
    if damaged is None:
        shop.index_files.delete([path])
    else:
        shop.index_files.put(path, damaged)


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize(("name", "embedded"), [("vectors.npy", 3), ("keys.txt", 0), ("model", 0)])
def test_lost_files_are_made_again(any_shop: Shop, name: str, embedded: int, how: str) -> None:
    any_shop.rebuild()
    manifest = any_shop.load().manifest
    spoil(any_shop, manifest.model_path if name == "model" else manifest.path(name), how)
    with pytest.raises(CorruptIndexError):
        any_shop.load()
    repaired = any_shop.rebuild()
    assert (repaired.outcome, repaired.embedded, repaired.count) == (Outcome.PUBLISHED, embedded, 3)
    assert len(any_shop.load().gallery) == 3
    assert any_shop.rebuild().outcome is Outcome.UNCHANGED


def test_a_lost_model_that_nothing_replaces_is_an_error(shop: Shop) -> None:
    shop.rebuild()
    spoil(shop, shop.load().manifest.model_path, "deleted")
    with pytest.raises(CorruptIndexError, match="--model"):
        shop.rebuild(model=None)


def test_the_bundled_model_stands_in_for_its_own_copy(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embeddings.rebuild.last_generation.BUNDLED_MODEL", MODEL)
    shop.rebuild(model=None)
    spoil(shop, shop.load().manifest.model_path, "altered")
    assert shop.rebuild(model=None).outcome is Outcome.PUBLISHED
    assert len(shop.load().gallery) == 3


def test_events_and_dry_runs_do_not_check_the_files(shop: Shop) -> None:
    shop.rebuild()
    spoil(shop, shop.load().manifest.path("keys.txt"), "deleted")
    assert shop.rebuild(keys=["shirts/red.jpg"]).outcome is Outcome.UNCHANGED
    assert shop.rebuild(dry_run=True).outcome is Outcome.DRY_RUN
    with pytest.raises(CorruptIndexError):
        shop.load()
