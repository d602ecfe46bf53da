"""The generation in memory: when and by which thread storage is read, and what happens when it fails."""

import importlib.util
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from embeddings.errors import GarmentSearchError, NoIndexError, StorageError
from embeddings.gallery import Gallery
from embeddings.index.generation import Generation
from embeddings.rebuild import rebuild
from embeddings.storage.reader import Fetched, Reader
from functions.search import current_generation as module
from functions.search.current_generation import CurrentGeneration
from tests.functions.conftest import MODEL, write_gallery
from tests.photos import photo

REFRESH = 60.0
LONG = 1.2 * module.LONGEST_PAUSE
"""The longest time after which storage is looked at again, however often it has failed."""


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Storage:
    """A folder that is watched: `before` may count, wait or fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.before: Callable[[str], None] = lambda key: None
        get, get_if_changed = Reader.get, Reader.get_if_changed

        def watched_get(reader: Reader, key: str, **options: Any) -> Fetched:
            self.asked.append(key)
            self.before(key)
            return get(reader, key, **options)

        def watched_get_if_changed(reader: Reader, key: str, etag: str, **options: Any) -> Fetched | None:
            self.asked.append(key)
            self.before(key)
            return get_if_changed(reader, key, etag, **options)

        monkeypatch.setattr(Reader, "get", watched_get)
        monkeypatch.setattr(Reader, "get_if_changed", watched_get_if_changed)

    @property
    def looks(self) -> int:
        """How often the pointer was read."""
        return self.asked.count("current.json")

    def fail(self) -> None:
        def fail(key: str) -> None:
            raise StorageError("storage is down")

        self.before = fail

    def hold(self) -> threading.Event:
        """Storage answers once this is set."""
        gate = threading.Event()

        def wait(key: str) -> None:
            assert gate.wait(5)

        self.before = wait
        return gate

    def recover(self) -> None:
        self.before = lambda key: None


def matrix(generation: Generation) -> Gallery:
    assert isinstance(generation.gallery, Gallery)
    return generation.gallery


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Storage:
    return Storage(monkeypatch)


@pytest.fixture
def place(tmp_path: Path, index: Path) -> Path:
    return Path(shutil.copytree(index, tmp_path / "index"))


@pytest.fixture
def current(place: Path, clock: Clock) -> CurrentGeneration:
    return CurrentGeneration(str(place), REFRESH, clock)


def publish_another(place: Path) -> None:
    gallery = write_gallery(place.parent / "gallery", {"only.jpg": photo("#654321")})
    rebuild(str(gallery), str(place))


def test_nothing_is_touched_before_the_first_request(current: CurrentGeneration, storage: Storage) -> None:
    assert current.generation is None
    assert not current.stale
    assert storage.asked == []


def test_loads_once_however_many_ask(current: CurrentGeneration, storage: Storage) -> None:
    storage.before = lambda key: time.sleep(0.02)
    with ThreadPoolExecutor(16) as threads:
        found = set(map(id, threads.map(lambda _: current.get(), range(64))))
    assert len(found) == 1
    assert len(storage.asked) == 4  # the pointer, the matrix, the keys, the model


def test_waits_for_what_was_started(current: CurrentGeneration, storage: Storage) -> None:
    gate = storage.hold()
    current.start()
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(current.get) for _ in range(4)]
        time.sleep(0.05)
        assert not any(each.done() for each in waiting)
        gate.set()
        assert len({id(each.result()) for each in waiting}) == 1
    assert storage.looks == 1


def test_a_start_that_fails_is_not_repeated_for_those_who_waited(current: CurrentGeneration, storage: Storage) -> None:
    """A second try would double their waiting."""
    gate = threading.Event()

    def fail_later(key: str) -> None:
        assert gate.wait(5)
        raise StorageError("storage is down")

    storage.before = fail_later
    current.start()
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(current.get) for _ in range(4)]
        time.sleep(0.05)
        gate.set()
        assert all(isinstance(each.exception(), StorageError) for each in waiting)
    assert storage.looks == 1


def test_looks_at_the_pointer_when_it_is_time(
    current: CurrentGeneration, storage: Storage, clock: Clock, place: Path
) -> None:
    first = current.get()
    publish_another(place)
    storage.asked.clear()
    clock.now += REFRESH - 0.1
    assert current.get() is first
    assert storage.looks == 0
    clock.now += 0.1
    second = current.get()
    assert list(matrix(second).keys) == ["only.jpg"]
    assert second.embedder is first.embedder  # the same model is not fetched again
    assert len(storage.asked) == 3
    storage.asked.clear()
    assert current.get() is second
    assert storage.asked == []


def test_it_uses_the_wall_clock(place: Path, storage: Storage, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A monotonic clock may stand still in a snapshot of Lambda, even for weeks."""
    monkeypatch.setattr(time, "time", clock)
    spec = importlib.util.find_spec(module.__name__)
    assert spec is not None
    assert spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    restored = fresh.CurrentGeneration(str(place), REFRESH)
    restored.get()
    clock.now += REFRESH
    restored.get()
    assert storage.looks == 2


def test_an_unchanged_pointer_costs_one_look(current: CurrentGeneration, storage: Storage, clock: Clock) -> None:
    first = current.get()
    for _ in range(3):
        clock.now += REFRESH
        storage.asked.clear()
        assert [current.get() for _ in range(5)] == [first] * 5
        assert storage.asked == ["current.json"]


def test_one_thread_looks_while_the_others_continue(
    current: CurrentGeneration, storage: Storage, clock: Clock, place: Path
) -> None:
    first = current.get()
    publish_another(place)
    storage.asked.clear()
    clock.now += REFRESH
    gate = storage.hold()
    with ThreadPoolExecutor(1) as thread:
        looking = thread.submit(current.get)
        while not storage.asked:
            time.sleep(0.001)
        assert [current.get() for _ in range(20)] == [first] * 20
        clock.now += 10 * REFRESH
        assert current.get() is first
        gate.set()
        assert looking.result() is not first
    assert storage.looks == 1


def test_many_threads_never_look_twice_at_one_time(current: CurrentGeneration, storage: Storage, clock: Clock) -> None:
    current.get()
    storage.asked.clear()
    with ThreadPoolExecutor(16) as threads:
        for round_ in range(1, 11):
            clock.now += REFRESH
            list(threads.map(lambda _: current.get(), range(64)))
            assert storage.looks == round_


def test_the_second_thread_does_not_look_again(
    current: CurrentGeneration, storage: Storage, clock: Clock, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between finding that it is time and getting the lock, another request has looked."""
    current.get()
    publish_another(place)
    storage.asked.clear()
    clock.now += REFRESH
    lock = current._lock

    class Overtaken:
        release = lock.release

        def acquire(self, blocking: bool) -> bool:
            current._lock = lock
            current.get()
            return lock.acquire(blocking=blocking)

    monkeypatch.setattr(current, "_lock", Overtaken())
    assert list(matrix(current.get()).keys) == ["only.jpg"]
    assert storage.looks == 1


def test_a_request_finishes_on_the_generation_it_began_with(
    current: CurrentGeneration, clock: Clock, place: Path
) -> None:
    first = current.get()
    count = len(matrix(first))
    publish_another(place)
    clock.now += REFRESH
    assert len(matrix(current.get())) == 1
    assert len(first.gallery.search(first.gallery.vector("coats/0.jpg"), k=100)) == count
    assert first.manifest.count == count


def test_keeps_what_it_has_while_storage_fails(
    current: CurrentGeneration, storage: Storage, clock: Clock, place: Path
) -> None:
    first = current.get()
    publish_another(place)
    storage.fail()
    clock.now += REFRESH
    for expected in (1, 2, 3):
        assert [current.get() for _ in range(5)] == [first] * 5
        assert current.stale
        assert storage.looks == 1 + expected  # a failure waits for its time too
        clock.now += LONG
    storage.recover()
    assert list(matrix(current.get()).keys) == ["only.jpg"]
    assert not current.stale


@pytest.mark.parametrize("error", [ValueError("a bug"), MemoryError(), OSError(28, "no space")])
def test_keeps_what_it_has_after_any_error(
    current: CurrentGeneration,
    clock: Clock,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = current.get()
    publish_another(place)

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(module, "fetch_generation", fail)
    clock.now += REFRESH
    assert current.get() is first
    assert current.stale
    assert caplog.records[-1].exc_info  # unforeseen, so with its stack


def test_a_broken_new_generation_is_tried_again_until_it_is_whole(
    current: CurrentGeneration, clock: Clock, place: Path
) -> None:
    first = current.get()
    publish_another(place)
    vectors = max(place.glob("generations/*/vectors.npy"))
    whole = vectors.read_bytes()
    vectors.write_bytes(whole[:-1])
    clock.now += REFRESH
    assert current.get() is first
    vectors.write_bytes(whole)
    clock.now += LONG
    assert list(matrix(current.get()).keys) == ["only.jpg"]


def test_a_cold_start_that_fails_recovers(tmp_path: Path, index: Path, clock: Clock) -> None:
    current = CurrentGeneration(str(tmp_path / "later"), REFRESH, clock)
    for _ in range(2):
        with pytest.raises(NoIndexError):
            current.get()
    shutil.copytree(index, tmp_path / "later")
    clock.now += 1.2  # not after REFRESH
    assert len(matrix(current.get())) > 30


def test_without_a_refresh_time_a_cold_start_is_tried_again_at_once(tmp_path: Path, index: Path, clock: Clock) -> None:
    current = CurrentGeneration(str(tmp_path / "later"), 0, clock)
    with pytest.raises(NoIndexError):
        current.get()
    shutil.copytree(index, tmp_path / "later")
    clock.now += 0.001
    assert len(matrix(current.get())) > 30


def test_a_start_that_failed_long_ago_is_tried_again(tmp_path: Path, index: Path) -> None:
    """The first request to a server may come hours later."""
    current = CurrentGeneration(str(tmp_path / "later"), REFRESH)
    before = threading.active_count()
    current.start()
    while threading.active_count() > before:
        time.sleep(0.001)
    shutil.copytree(index, tmp_path / "later")
    assert len(matrix(current.get())) > 30


def test_a_start_that_succeeded_long_ago_is_looked_at_again(
    current: CurrentGeneration, clock: Clock, place: Path
) -> None:
    before = threading.active_count()
    current.start()
    while threading.active_count() > before:
        time.sleep(0.001)
    publish_another(place)
    clock.now += REFRESH
    assert list(matrix(current.get()).keys) == ["only.jpg"]


def test_waiting_for_storage_that_is_down_does_not_add_up(place: Path, storage: Storage, clock: Clock) -> None:
    """If many requests tried in turn, the last would outlast the gateway's 30 seconds."""
    real = CurrentGeneration(str(place), REFRESH, clock)

    def hang(key: str) -> None:
        time.sleep(0.3)
        raise StorageError("storage is down")

    storage.before = hang
    started = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        failures = [each.exception() for each in [threads.submit(real.get) for _ in range(8)]]
    assert time.monotonic() - started < 1.0
    assert all(isinstance(each, GarmentSearchError) for each in failures)
    storage.recover()
    clock.now += 1.2
    assert len(matrix(real.get())) > 30


def test_the_longer_an_outage_the_rarer_the_looks(current: CurrentGeneration, storage: Storage, clock: Clock) -> None:
    """The outage lasts a week, with a request every ten seconds."""
    first = current.get()
    storage.fail()
    storage.asked.clear()
    looked = []
    for _ in range(6 * 60 * 24 * 7):
        clock.now += 10
        before = len(storage.asked)
        assert current.get() is first
        if len(storage.asked) > before:
            looked.append(clock.now)
    pauses = [later - earlier for earlier, later in pairwise(looked)]
    assert 48 <= pauses[0] <= 82
    assert 96 <= pauses[1] <= 154
    assert all(240 <= pause <= 370 for pause in pauses[3:])
    assert len(set(pauses[3:])) > 5, "instances in step"
    assert current.stale
    storage.recover()
    clock.now += LONG
    current.get()
    assert not current.stale
    storage.fail()
    for pause in (REFRESH, 1.2 * REFRESH):  # as often as before, once it is over
        clock.now += pause
        before = storage.looks
        current.get()
        assert storage.looks == before + 1
    assert current.stale


def test_the_longer_a_cold_outage_the_rarer_the_looks(place: Path, storage: Storage, clock: Clock) -> None:
    current = CurrentGeneration(str(place), REFRESH, clock)
    storage.fail()
    for _ in range(36_000):  # an hour, ten requests a second
        clock.now += 0.1
        with pytest.raises(StorageError):
            current.get()
    assert 100 <= storage.looks <= 160
    storage.recover()
    clock.now += 1.2 * module.LONGEST_COLD_PAUSE
    assert len(matrix(current.get())) > 30


def test_held_and_released_show_without_a_reload(
    current: CurrentGeneration, storage: Storage, clock: Clock, place: Path
) -> None:
    first = current.get()
    pointer = place / "current.json"
    pointer.write_text(pointer.read_text().replace('"held": false', '"held": true'))
    storage.asked.clear()
    clock.now += REFRESH
    assert current.get().manifest.held
    assert current.get().gallery is first.gallery
    assert storage.asked == ["current.json"]


def test_models_may_change(current: CurrentGeneration, clock: Clock, place: Path) -> None:
    assert current.get().embedder.dimension == 48
    gallery = write_gallery(place.parent / "gallery", {"only.jpg": photo("#654321")})
    rebuild(str(gallery), str(place), model=MODEL.with_name("float32-12d.tflite"))
    clock.now += REFRESH
    assert current.get().embedder.dimension == matrix(current.get()).dimension == 12
