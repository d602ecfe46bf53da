"""Fetch and embed many photos: fetching waits, embedding computes, so each has threads of its own."""

import logging
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from embeddings.embedder import Embedder
from embeddings.errors import NotFoundError, PhotoError, StorageError
from embeddings.index.sources import Failure
from embeddings.preprocess import Limits
from embeddings.rebuild.checkpoint import Vector
from embeddings.storage.reader import Reader
from embeddings.storage.writer import ObjectInfo

_FETCHERS = 16
_WINDOW = 2 * _FETCHERS  # photos in memory at once, each up to the limit of bytes
_OUTAGE = 20  # so many photos in a row that storage does not give are an outage, not a trait of the photos
_log = logging.getLogger(__name__)

Result = Vector | Failure | None


def embed_all(
    objects: Iterable[ObjectInfo], gallery: Reader, embedder: Embedder, limits: Limits
) -> Iterator[tuple[ObjectInfo, Result]]:
    """Embed photos, in the order of `objects`.

    Yields:
        The object with its float16 vector (dimension,), the reason why there is none, or None if it has vanished.

    Raises:
        StorageError: storage fails again and again.
    """

    def embed(photo: bytes) -> Vector:
        vector: Vector = embedder.embed([photo], limits=limits)[0].astype(np.float16)
        return vector

    fetchers = ThreadPoolExecutor(_FETCHERS, thread_name_prefix="fetch")
    embedders = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="embed")

    def fetch(each: ObjectInfo) -> Future[Vector]:
        return embedders.submit(embed, gallery.get(each.key, size=each.size).data)

    pending: deque[tuple[ObjectInfo, Future[Future[Vector]]]] = deque()
    outage = 0
    try:
        remaining = iter(objects)
        while True:
            while len(pending) < _WINDOW and (each := next(remaining, None)) is not None:
                pending.append((each, fetchers.submit(fetch, each)))
            if not pending:
                return
            each, fetched = pending.popleft()
            result: Result
            try:
                result, outage = fetched.result().result(), 0
            except NotFoundError:
                result = None
            except PhotoError as error:
                result, outage = Failure(each.etag, str(error)), 0
            except StorageError as error:
                outage += 1
                if outage == _OUTAGE:
                    raise
                result = Failure("", f"storage failed: {error}")
            if isinstance(result, Failure):
                _log.warning("not indexed: %r: %s", each.key, result.reason)
            yield each, result
    finally:
        fetchers.shutdown(cancel_futures=True)
        embedders.shutdown(cancel_futures=True)
