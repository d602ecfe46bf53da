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
        generation = self.generation
        if generation is None:
            with self._lock:
                return self.generation or self._load()
        if self._clock() - self._checked_at >= self._refresh_seconds and self._lock.acquire(blocking=False):
            try:
                return self._refresh(generation)
            finally:
                self._lock.release()
        return generation

    def _load(self) -> "Generation":
        from embeddings.index.generation import open_generation

        fetching, self._fetching = self._fetching, None
        pointer, files = fetching.result() if fetching is not None else self._fetch()
        self.generation = open_generation(pointer.manifest, files)
        self._etag = pointer.etag
        self._checked_at = self._clock()
        return self.generation

    def _refresh(self, generation: "Generation") -> "Generation":
        from embeddings.index.generation import open_generation

        self._checked_at = self._clock()
        reader = self._opened()
        try:
            pointer = fetch_pointer_if_changed(reader, self._etag)
            if pointer is not None:
                known = generation.manifest.model.sha256
                if pointer.manifest.generation == generation.manifest.generation:
                    generation = replace(generation, manifest=pointer.manifest)  # held, or released
                else:
                    files = fetch_generation(reader, pointer.manifest, known_model=known)
                    generation = open_generation(pointer.manifest, files, generation.embedder)
                self.generation, self._etag = generation, pointer.etag
            self.stale = False
        except GarmentSearchError as error:
            self.stale = True
            _log.warning("going on with generation %s: %s", generation.manifest.generation, error)
        return generation

    def _fetch(self) -> tuple[Pointer, GenerationFiles]:
        reader = self._opened()
        pointer = fetch_pointer(reader)
        return pointer, fetch_generation(reader, pointer.manifest)

    def _opened(self) -> Reader:
        if self._reader is None:
            self._reader = open_reader(self._index_uri)
        return self._reader
