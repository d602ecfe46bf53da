"""Fetching and embedding many photos, each with threads of its own: fetching waits, embedding computes."""

import logging
import os
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from embeddings.embedder import Embedder
from embeddings.errors import ArchivedError, ModelError, NotFoundError, PhotoError, StorageError, UnavailableError
from embeddings.index.sources import Refusal
from embeddings.preprocess import INPUT_SIZE, Limits
from embeddings.products.seen import Seen
from embeddings.rebuild.checkpoint import Described
from embeddings.storage.objects import ObjectInfo
from embeddings.storage.reader import Reader

_FETCHERS = 16
_WINDOW = 2 * _FETCHERS  # photos in memory at once, each up to the limit of bytes
OUTAGE = 20
"""If storage does not give this many photos in a row, that is an outage, not a trait of the photos."""
NOT_GIVEN = "storage did not give it"
"""The reason of a refusal for which storage is to blame. The log says more."""
ARCHIVED = "it is archived: restore it, or copy it to another storage class"
"""The reason of a refusal of an object that storage keeps but does not hand out as it is."""
_PROBE = np.arange(INPUT_SIZE * INPUT_SIZE * 3, dtype=np.uint8).reshape(INPUT_SIZE, INPUT_SIZE, 3)
_log = logging.getLogger(__name__)

Result = Described | Refusal | None


def embed_all(
    objects: Iterable[ObjectInfo], gallery: Reader, embedder: Embedder, limits: Limits
) -> Generator[tuple[ObjectInfo, Result]]:
    """Embed photos, in the order of `objects`. Closing waits for the photos that are under way, and drops them.

    Yields:
        Each object with what the model says of it, with a refusal, or with None if it has vanished.

    Raises:
        UnavailableError: storage does not give many photos in a row. ModelError: the model embeds nothing at all.
    """
    embedder.embed_pixels(_PROBE)  # tells a broken model from a photo that it cannot embed

    def embed(photo: bytes) -> Described:
        vector, outputs = embedder.describe(photo, limits=limits)
        seen = Seen() if embedder.sight is None or outputs is None else embedder.sight.seen(outputs)
        return Described(vector.astype(np.float16), seen)

    fetchers = ThreadPoolExecutor(_FETCHERS, thread_name_prefix="fetch")
    embedders = ThreadPoolExecutor(_cores(), thread_name_prefix="embed")

    def fetch(each: ObjectInfo) -> Future[Described]:
        return embedders.submit(embed, gallery.get(each.key, size=each.size).data)

    pending: deque[tuple[ObjectInfo, Future[Future[Described]]]] = deque()
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
                embedding = fetched.result()
                outage = 0
                result = embedding.result()
            except NotFoundError:
                result = None
            except (PhotoError, ModelError) as error:
                result = Refusal(each.etag, str(error))
                _log.info("not indexed: %r: %s", each.key, error)
            except ArchivedError as error:
                result = Refusal("", ARCHIVED)
                _log.warning("not indexed for now: %r: %s", each.key, error)
            except StorageError as error:
                # Other storage errors are the object's own: it may be archived, or encrypted with another key.
                outage += isinstance(error, UnavailableError)
                if outage == OUTAGE:
                    raise
                # Without storage's own message: its request ids and times would differ at every rebuild.
                result = Refusal("", NOT_GIVEN)
                _log.warning("not indexed for now: %r: %s", each.key, error)
            yield each, result
    finally:
        fetchers.shutdown(cancel_futures=True)
        embedders.shutdown(cancel_futures=True)


def _cores() -> int:
    """Count the cores that this process may use; a container may show more."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
