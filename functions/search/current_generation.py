"""The generation in memory: fetched once, renewed when the pointer moves, kept when storage fails.

Imports nothing heavy at the top: fetching starts first, and the imports happen while it runs.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import replace
from typing import TYPE_CHECKING

from embeddings.errors import GarmentSearchError
from embeddings.index.fetch import fetch_generation, fetch_pointer, fetch_pointer_if_changed
from embeddings.storage.reader import Reader, open_reader

if TYPE_CHECKING:
    from embeddings.index.generation import Generation

LONGEST_PAUSE = 300.0
"""Seconds between two looks at storage that fails and fails, unless `refresh_seconds` are more;"""
LONGEST_COLD_PAUSE = 30.0
"""and of a process that has nothing to answer with."""
_log = logging.getLogger(__name__)


class CurrentGeneration:
    """Safe to use from several threads. A request takes a generation once and finishes on it."""

    def __init__(self, index_uri: str, refresh_seconds: float, clock: Callable[[], float] = time.time) -> None:
        """Nothing is fetched yet: the server may still fork, which the reader's threads would not survive.

        The clock is the wall's: a monotonic one may stand still in a snapshot (Lambda's SnapStart), and an instance
        that is restored from one would take weeks for no time at all.
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
        """In a row."""
        self._etag = ""
        self._look_at = 0.0
        """When to look at storage again."""
        self.generation: Generation | None = None
        """What is in memory; None before the first `get`."""
        self.stale = False
        """Whether the last look at storage failed, so that the generation may be an old one."""

    def start(self) -> None:
        """Begin fetching and opening in a thread, so that the caller's imports go on meanwhile; `get` waits for it."""
        starting: Future[tuple[Generation, str]] = Future()

        def run() -> None:
            try:
                starting.set_result(self._fetched())
            except BaseException as error:  # noqa: BLE001 - handed on to whoever waits
                starting.set_exception(error)

        self._starting = starting
        threading.Thread(target=run, name="fetch-index", daemon=True).start()

    def settle(self) -> None:
        """Wait until what `start` began has ended, well or not; `get` tells which."""
        if self._starting is not None:
            wait([self._starting])

    def get(self) -> "Generation":
        """The generation to answer with.

        The first call waits for it to load. Later ones look at the pointer when `refresh_seconds` have passed, one
        thread at a time; the others go on with what there is, and so do all when storage fails. Each failure in a row
        doubles the time to the next look, give or take a fifth, so that many instances do not come back in step.

        Raises:
            GarmentSearchError: it cannot be loaded, and there is none in memory.
        """
        arrived = self._clock()
        generation = self.generation
        if generation is None:
            with self._lock:
                generation = self.generation or self._load(arrived)
        if self._due() and self._lock.acquire(blocking=False):
            try:
                # Another thread may have been here since.
                generation = self.generation or generation
                return self._refresh(generation) if self._due() else generation
            finally:
                self._lock.release()
        return generation

    def _due(self) -> bool:
        return self._clock() >= self._look_at

    def _load(self, arrived: float) -> "Generation":
        """Fetch and open, or raise what another thread met while this one waited for it since `arrived`."""
        if self._failure is not None and (arrived < self._failed_at or not self._due()):
            raise self._failure.with_traceback(None)  # each trying in turn would add up its waiting
        starting, self._starting = self._starting, None
        if starting is not None and starting.done() and starting.exception() is not None:
            starting = None  # failed at the start, perhaps long ago
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
        except Exception as error:  # noqa: BLE001 - whatever it is, there is something to answer with
            self.stale = True
            self._pause(self._refresh_seconds, max(self._refresh_seconds, LONGEST_PAUSE))
            unforeseen = not isinstance(error, GarmentSearchError)
            _log.warning("going on with generation %s: %s", generation.manifest.generation, error, exc_info=unforeseen)
        return generation

    def _pause(self, first: float, longest: float) -> None:
        self._failures += 1
        pause = min(first * 2.0 ** min(self._failures - 1, 30), longest)
        self._look_at = self._clock() + pause * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, no secret

    def _newer(self, generation: "Generation") -> "Generation":
        """The current generation, if the pointer has moved; else the one that is given."""
        from embeddings.index.generation import open_generation

        reader = self._opened()
        changed = fetch_pointer_if_changed(reader, self._etag)
        if changed is None:
            return generation
        manifest, etag = changed
        if manifest.generation == generation.manifest.generation:
            generation = replace(generation, manifest=manifest)  # held, or released
        else:
            known = generation.embedder
            generation = open_generation(manifest, fetch_generation(reader, manifest, known_model=known.sha256), known)
        self.generation, self._etag = generation, etag
        return generation

    def _fetched(self) -> "tuple[Generation, str]":
        """The current generation, and its pointer's ETag."""
        self._look_at = self._clock() + self._refresh_seconds  # an instance may wait for its first request for long
        reader = self._opened()
        manifest, etag = fetch_pointer(reader)
        files = [fetch_generation(reader, manifest)]
        from embeddings.index.generation import open_generation

        return open_generation(manifest, files.pop()), etag  # nobody else holds the files

    def _opened(self) -> Reader:
        if self._reader is None:
            self._reader = open_reader(self._index_uri)
        return self._reader
