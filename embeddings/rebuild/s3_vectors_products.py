"""The products of an index that keeps its vectors in Amazon S3 Vectors: metadata beside each vector."""

import logging
from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import replace

from embeddings.errors import GalleryIndexError
from embeddings.index.publish import ProductFiles
from embeddings.index.sources import FeedState
from embeddings.products.columns import pack_summaries
from embeddings.products.seen import Seen
from embeddings.rebuild.job import Job
from embeddings.rebuild.last_generation import LastGeneration
from embeddings.rebuild.product_feed import ProductFeed, Products
from embeddings.s3_vectors.metadata import space_left
from embeddings.s3_vectors.products import fingerprint, product_metadata, seen_metadata
from embeddings.s3_vectors.writer import ProductMetadata, S3VectorsWriter

_BATCH = 2_000
_log = logging.getLogger(__name__)


class S3VectorsProducts:
    """One attempt's products.

    A look at the whole gallery decides them anew. Any other keeps what the index has, and a new photo gets its product
    with the next look at everything: to read a feed of millions for each event would take minutes.
    """

    def __init__(
        self,
        job: Job,
        last: LastGeneration,
        writer: S3VectorsWriter,
        held: dict[str, bytes],
        seen: dict[str, Seen] | None,
    ) -> None:
        """Change nothing yet.

        Args:
            job: the rebuild.
            last: its last generation.
            writer: of the vector index.
            held: the fingerprints of the products that the index knows, by key.
            seen: what the model sees in all photos that the index knows, by key; None if only some were looked at.
        """
        self._job = job
        self._last = last
        self._writer = writer
        self._held = held
        self._seen = seen
        self._decided: Products | None = None
        self._left_out: set[str] = set()

    def decide(self, feed: ProductFeed, keys: Set[str]) -> None:
        """Find out which product each of all photos shows.

        Raises:
            GalleryIndexError: photos are to be hidden. StorageError: storage failed.
        """
        self._decided = feed.products(keys)
        if self._decided.state is not None and self._decided.state.hide_unlisted:
            raise GalleryIndexError(
                "photos in S3 Vectors cannot be hidden: say --unlisted keep, or UNLISTED=keep for the functions"
            )

    @property
    def state(self) -> FeedState | None:
        """The feed that the products are from."""
        if self._decided is None:
            return self._last.sources.feed
        if self._decided.state is None:
            return None
        return replace(self._decided.state, left_out=tuple(sorted(self._left_out)))

    def of(self, seen: Mapping[str, Seen]) -> dict[str, ProductMetadata]:
        """Make the metadata to put with the vectors of photos, in which the model sees this."""
        if self._seen is not None:
            self._seen.update(seen)
        products = self._of(seen.keys())
        made = {key: {**products.get(key, {}), **seen_metadata(each)} for key, each in seen.items()}
        return {key: metadata for key, metadata in made.items() if metadata}

    def _of(self, keys: Collection[str]) -> dict[str, ProductMetadata]:
        if self._decided is None:
            return self._writer.products(self._held.keys() & set(keys))
        made = {key: metadata for key in keys if (metadata := self._metadata(key)) is not None}
        self._held.update({key: fingerprint(made.get(key, {})) for key in keys})
        return made

    def stale(self, keys: Collection[str]) -> list[str]:
        """List the photos whose product is another than the index knows."""
        if self._decided is None:
            return []
        return [key for key in keys if fingerprint(self._metadata(key) or {}) != self._held.get(key, b"")]

    def write(self, stale: list[str]) -> None:
        """Write the products of stale photos, as many as there is time for; `remaining` says how many are left."""
        self._job.expect(len(stale))
        for batch in _batches(stale):
            self._writer.put_products({key: self._metadata(key) for key in batch})
            self._job.advance(len(batch))
            if self._job.out_of_time:
                return

    def files(self, keys: Collection[str]) -> ProductFiles:
        """Return the files of the next generation; `keys` are its photos, if all were looked at."""
        if self._decided is None and (self._seen is None or self._last.sources.feed is not None):
            return self._last.product_files()
        if self._left_out:
            _log.warning("columns that do not fit into the metadata of some photos: %s", ", ".join(self._left_out))
        decided, seen = self._decided or Products(), [(self._seen or {}).get(key, Seen()) for key in keys]
        shows = decided.by_key or any(each != Seen() for each in seen)
        return ProductFiles(pack_summaries(decided.by_key.values(), seen) if shows else b"", decided.feed)

    def _metadata(self, key: str) -> ProductMetadata | None:
        assert self._decided is not None, "there is a decision to write"  # noqa: S101
        product = self._decided.by_key.get(key)
        if product is None:
            return None
        metadata, left_out = product_metadata(product, space_left(key))
        self._left_out |= left_out
        return metadata


def _batches(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), _BATCH):
        yield keys[start : start + _BATCH]
