"""The generation in memory: fetched once, replaced when the pointer moves, kept when storage fails.

Nothing heavy is imported at the top: the fetch starts first, and the heavy imports happen while it runs.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TYPE_CHECKING

from embeddings.errors import GarmentSearchError
from embeddings.index.fetch import fetch_generation, fetch_model, fetch_pointer, fetch_pointer_if_changed
from embeddings.index.manifest import Manifest
from embeddings.storage.reader import Reader, open_reader

if TYPE_CHECKING:
    from embeddings.embedder import Embedder
    from embeddings.index.generation import Generation

LONGEST_PAUSE = 300.0
"""Seconds between two looks at storage that keeps failing, unless `refresh_seconds` is longer."""
LONGEST_COLD_PAUSE = 30.0
"""The same for a process that has no generation to answer with."""
_log = logging.getLogger(__name__)


class CurrentGeneration:
    """Holds the generation for all threads. A request takes it once and finishes on it."""

    def __init__(self, index_uri: str, refresh_seconds: float, clock: Callable[[], float] = time.time) -> None:
        """Fetch nothing yet: the server may still fork, which the reader's threads would not survive.

        Args:
            clock: the wall clock. A monotonic clock may stand still in a snapshot (Lambda's SnapStart): an instance
                restored after weeks would believe that no time has passed.
        """
        self._index_uri = index_uri
        self._refresh_seconds = refresh_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._reader: Reader | None = None
        self._starting: Future[tuple[Generation, str]] | None = None
        self._failure: GarmentSearchError | None = None
        self._failed_at = 0.0
        self._failures = 0
        """Failures in a row."""
        self._etag = ""
        self._look_at = 0.0
        """When to look at storage again."""
        self.generation: Generation | None = None
        """The generation in memory; None before the first `get`."""
        self.stale = False
        """Whether the last look at storage failed; there may be a newer generation."""

    def start(self) -> None:
        """Fetch and open in a thread while the caller goes on importing; `get` waits for it."""
        starting: Future[tuple[Generation, str]] = Future()

        def run() -> None:
            try:
                starting.set_result(self._fetched())
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
                starting.set_exception(error)

        self._starting = starting
        threading.Thread(target=run, name="fetch-index", daemon=True).start()

    def settle(self) -> None:
        """Wait for what `start` began to end, in success or failure; `get` tells which."""
        if self._starting is not None:
            wait([self._starting])

    def get(self) -> "Generation":
        """Return the generation to answer with.

        The first call waits for it to load. Later calls look at the pointer once `refresh_seconds` have passed. One
        thread looks at a time; the others continue with the generation in memory, and all do when storage fails. Each
        failure in a row doubles the time to the next look, give or take a fifth, so that many instances do not return
        in step.

        Raises:
            GarmentSearchError: no generation is in memory, and none can be loaded.
        """
        arrived = self._clock()
        generation = self.generation
        if generation is None:
            with self._lock:
                generation = self.generation or self._load(arrived)
        if self._due() and self._lock.acquire(blocking=False):
            try:
                # Another thread may have refreshed it meanwhile.
                generation = self.generation or generation
                return self._refresh(generation) if self._due() else generation
            finally:
                self._lock.release()
        return generation

    def _due(self) -> bool:
        return self._clock() >= self._look_at

    def _load(self, arrived: float) -> "Generation":
        """Fetch and open; or raise the error that another thread met while this one, here since `arrived`, waited."""
        if self._failure is not None and (arrived < self._failed_at or not self._due()):
            raise self._failure.with_traceback(None)  # if each tried in turn, their waits would add up
        starting, self._starting = self._starting, None
        if starting is not None and starting.done() and starting.exception() is not None:
            starting = None  # it failed at the start, perhaps long ago
        try:
            self.generation, self._etag = self._fetched() if starting is None else starting.result()
        except GarmentSearchError as error:
            self._failure, self._failed_at = error, self._clock()
            self._pause(min(1.0, self._refresh_seconds), LONGEST_COLD_PAUSE)
            raise
        self._failure, self._failures = None, 0
        return self.generation

    def _refresh(self, generation: "Generation") -> "Generation":
        self._look_at = self._clock() + self._refresh_seconds
        try:
            generation = self._newer(generation)
            self.stale, self._failures = False, 0
        except Exception as error:  # noqa: BLE001 - whatever it is, a generation is there to answer with
            self.stale = True
            self._pause(self._refresh_seconds, max(self._refresh_seconds, LONGEST_PAUSE))
            unforeseen = not isinstance(error, GarmentSearchError)
            _log.warning("keeping generation %s: %s", generation.manifest.generation, error, exc_info=unforeseen)
        return generation

    def _pause(self, first: float, longest: float) -> None:
        self._failures += 1
        pause = min(first * 2.0 ** min(self._failures - 1, 30), longest)
        self._look_at = self._clock() + pause * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, no secret

    def _newer(self, generation: "Generation") -> "Generation":
        """Return the current generation if the pointer has moved, else the given one."""
        from embeddings.index.generation import Generation, open_gallery

        reader = self._opened()
        changed = fetch_pointer_if_changed(reader, self._etag)
        if changed is None:
            return generation
        manifest, etag = changed
        if manifest.generation == generation.manifest.generation:
            generation = replace(generation, manifest=manifest)  # held, or released
        else:
            known = generation.embedder
            embedder = known if known.sha256 == manifest.model.sha256 else _load_model(reader, manifest)
            generation = Generation(manifest, open_gallery(manifest, fetch_generation(reader, manifest)), embedder)
        self.generation, self._etag = generation, etag
        return generation

    def _fetched(self) -> "tuple[Generation, str]":
        """Fetch and open the current generation; return it with its pointer's ETag."""
        self._look_at = self._clock() + self._refresh_seconds  # the first request may come much later
        reader = self._opened()
        manifest, etag = fetch_pointer(reader)
        # LiteRT works for most of an embedder's opening without Python's lock.
        with ThreadPoolExecutor(1, thread_name_prefix="open-model") as aside:
            embedder = aside.submit(_load_model, reader, manifest)
            files = [fetch_generation(reader, manifest)]
            from embeddings.index.generation import Generation, open_gallery

            gallery = open_gallery(manifest, files.pop())  # popped, so that nothing else keeps the files
            return Generation(manifest, gallery, embedder.result()), etag

    def _opened(self) -> Reader:
        if self._reader is None:
            self._reader = open_reader(self._index_uri)
        return self._reader


def _load_model(reader: Reader, manifest: Manifest) -> "Embedder":
    content = fetch_model(reader, manifest)
    from embeddings.index.generation import open_model

    return open_model(manifest, content)
