"""The generation in memory: fetched once, renewed when the pointer moves, kept when storage fails.

Imports nothing heavy at the top: fetching starts first, and the imports happen while it runs.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING

from embeddings.errors import GarmentSearchError
from embeddings.index.fetch import (
    GenerationFiles,
    Pointer,
    fetch_generation,
    fetch_pointer,
    fetch_pointer_if_changed,
)
from embeddings.storage.reader import Reader, open_reader

if TYPE_CHECKING:
    from embeddings.index.generation import Generation

_log = logging.getLogger(__name__)


class CurrentGeneration:
    """Safe to use from several threads. A request takes a generation once and finishes on it."""

    def __init__(self, index_uri: str, refresh_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is fetched yet: the server may still fork, which the reader's threads would not survive."""
        self._index_uri = index_uri
        self._refresh_seconds = refresh_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._reader: Reader | None = None
        self._fetching: Future[tuple[Pointer, GenerationFiles]] | None = None
        self._failure: GarmentSearchError | None = None
        self._failed_at = 0.0
        self._etag = ""
        self._checked_at = 0.0
        self.generation: Generation | None = None
        """What is in memory; None before the first `get`."""
        self.stale = False
        """Whether the last look at storage failed, so that the generation may be an old one."""

    def start(self) -> None:
        """Begin fetching in a thread; `get` waits for it."""
        fetching: Future[tuple[Pointer, GenerationFiles]] = Future()

        def run() -> None:
            try:
                fetching.set_result(self._fetch())
            except BaseException as error:  # noqa: BLE001 - handed on to whoever waits
                fetching.set_exception(error)

        self._fetching = fetching
        threading.Thread(target=run, name="fetch-index", daemon=True).start()

    def get(self) -> "Generation":
        """The generation to answer with.

        The first call waits for it to load. Later ones look at the pointer when `refresh_seconds` have passed, one
        thread at a time; the others go on with what there is, and so do all when storage fails.

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
        return self._clock() - self._checked_at >= self._refresh_seconds

    def _load(self, arrived: float) -> "Generation":
        """Fetch and open, or raise what another thread met while this one waited for it since `arrived`."""
        from embeddings.index.generation import open_generation

        if self._failure is not None and arrived < self._failed_at:
            raise self._failure.with_traceback(None)  # each trying in turn would add up its waiting
        fetching, self._fetching = self._fetching, None
        if fetching is not None and fetching.done() and fetching.exception() is not None:
            fetching = None  # failed at the start, perhaps long ago
        try:
            pointer, files = self._fetch() if fetching is None else fetching.result()
            self.generation = open_generation(pointer.manifest, files)
        except GarmentSearchError as error:
            self._failure, self._failed_at = error, self._clock()
            raise
        self._etag = pointer.etag
        self._failure = None
        return self.generation

    def _refresh(self, generation: "Generation") -> "Generation":
        self._checked_at = self._clock()
        try:
            generation = self._newer(generation)
            self.stale = False
        except Exception as error:  # noqa: BLE001 - whatever it is, there is something to answer with
            self.stale = True
            unforeseen = not isinstance(error, GarmentSearchError)
            _log.warning("going on with generation %s: %s", generation.manifest.generation, error, exc_info=unforeseen)
        return generation

    def _newer(self, generation: "Generation") -> "Generation":
        """The current generation, if the pointer has moved; else the one that is given."""
        from embeddings.index.generation import open_generation

        reader = self._opened()
        pointer = fetch_pointer_if_changed(reader, self._etag)
        if pointer is None:
            return generation
        if pointer.manifest.generation == generation.manifest.generation:
            generation = replace(generation, manifest=pointer.manifest)  # held, or released
        else:
            files = fetch_generation(reader, pointer.manifest, known_model=generation.embedder.sha256)
            generation = open_generation(pointer.manifest, files, generation.embedder)
        self.generation, self._etag = generation, pointer.etag
        return generation

    def _fetch(self) -> tuple[Pointer, GenerationFiles]:
        self._checked_at = self._clock()  # an instance may wait for its first request for long
        reader = self._opened()
        pointer = fetch_pointer(reader)
        return pointer, fetch_generation(reader, pointer.manifest)

    def _opened(self) -> Reader:
        if self._reader is None:
            self._reader = open_reader(self._index_uri)
        return self._reader
