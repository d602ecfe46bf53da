"""Listing, putting and deleting vectors, for the rebuild. Repeating a call does no harm."""

import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import GalleryIndexError, UnavailableError
from embeddings.products.seen import Seen
from embeddings.s3_vectors.address import VectorIndexName
from embeddings.s3_vectors.client import CHANGING, LOOKING, explained, open_client
from embeddings.s3_vectors.metadata import ETAG, metadata_of
from embeddings.s3_vectors.products import PRODUCT, fingerprint, product_part, seen_of, seen_part
from embeddings.unit_rows import unit_rows

PUT_BATCH = 500
"""The most vectors that the engine takes in one request to put or delete."""
_PUT_BYTES = 8_000_000
"""A request may have 20 MB. This counts products alone; 500 vectors have at most a few megabytes of numbers."""
_TRIES = 20
"""How often one change is tried. An index takes 2,500 vectors a second from all writers, and refuses the rest."""
_LONGEST_PAUSE = 20.0
_GET_BATCH = 100
_LIST_BATCH = 1_000
_GETTERS = 8
_SEGMENTS = 16
"""The most parts of a listing that the engine serves in parallel."""

T = TypeVar("T")
Embedded = tuple[str, NDArray[np.float16]]
"""A photo's ETag and its vector (dimension,). They are written together, so the index tells which photo it knows."""


ProductMetadata = Mapping[str, Any]
"""What `products.product_metadata` makes of a product."""


class Held(NamedTuple):
    """What the index knows of photos, by key."""

    etags: dict[str, str]
    products: dict[str, bytes]
    """Fingerprints of their products, for those that have one."""
    seen: dict[str, Seen]
    """What the model sees in them."""


class S3VectorsWriter:
    """Changes one vector index, which need not exist yet. Methods raise StorageError if the engine fails."""

    def __init__(self, index: VectorIndexName) -> None:
        """Open clients, without a request yet."""
        self.index = index
        self._client = open_client(index, LOOKING)
        self._changing = open_client(index, CHANGING)
        self._address = {"vectorBucketName": index.bucket, "indexName": index.name}

    def create(self, dimension: int) -> None:
        """Create the index, unless it exists.

        Raises:
            NotFoundError: there is no such vector bucket. GalleryIndexError: an index of another kind has this name.
        """
        with explained(self.index):
            try:
                self._client.create_index(
                    **self._address,
                    dataType="float32",
                    dimension=dimension,
                    distanceMetric="cosine",
                    metadataConfiguration={"nonFilterableMetadataKeys": [ETAG, PRODUCT]},
                )
            except self._client.exceptions.ConflictException:
                there = self._client.get_index(**self._address)["index"]
                if (there["dimension"], there["distanceMetric"]) != (dimension, "cosine"):
                    raise GalleryIndexError(
                        f"{self.index} exists already, but not for cosines of {dimension} numbers: delete it"
                    ) from None

    def has_room_for_products(self) -> bool:
        """Say whether the index was created with room for products, which cannot be added later."""
        with explained(self.index):
            there = self._client.get_index(**self._address)["index"]
        return PRODUCT in there.get("metadataConfiguration", {}).get("nonFilterableMetadataKeys", ())

    def look(self, keys: Collection[str] | None = None, within: Callable[[str], bool] = lambda _key: True) -> Held:
        """Read which photos the index holds, in which version, and with which product.

        Args:
            keys: look at these keys only; None lists the whole index.
            within: which keys of a listing to return.

        Raises:
            NotFoundError: there is no such index.
        """
        if keys is not None:
            return _held(self._found(keys, returnMetadata=True))
        with ThreadPoolExecutor(_SEGMENTS, thread_name_prefix="list") as pool:
            held = Held({}, {}, {})
            for part in pool.map(lambda segment: _held(self._listed(segment, within)), range(_SEGMENTS)):
                held.etags.update(part.etags)
                held.products.update(part.products)
                held.seen.update(part.seen)
            return held

    def products(self, keys: Collection[str]) -> dict[str, ProductMetadata]:
        """Read the metadata of photos' products, for those that have one."""
        parts = {each["key"]: product_part(each["metadata"]) for each in self._found(keys, returnMetadata=True)}
        return {key: part for key, part in parts.items() if part}

    def put(self, vectors: Mapping[str, Embedded], products: Mapping[str, ProductMetadata] | None = None) -> None:
        """Write vectors by key, with the metadata of what their photos show. Searches see them at once."""
        for batch in _batches(vectors.items(), PUT_BATCH):
            rows = unit_rows(np.stack([vector for _, (_, vector) in batch])).tolist()
            self._put_all(
                {"key": key, "data": {"float32": row}, "metadata": metadata_of(key, etag, (products or {}).get(key))}
                for (key, (etag, _)), row in zip(batch, rows, strict=True)
            )

    def put_products(self, products: Mapping[str, ProductMetadata | None]) -> None:
        """Give photos other products, or none, and leave their vectors as they are. Give some thousands at a time."""
        with ThreadPoolExecutor(_GETTERS, thread_name_prefix="get") as pool:
            asked = _batches(products, _GET_BATCH)
            found = pool.map(lambda batch: list(self._found(batch, returnMetadata=True, returnData=True)), asked)
            for batch in _batches((each for part in found for each in part), PUT_BATCH):
                self._put_all(
                    {
                        "key": each["key"],
                        "data": each["data"],
                        "metadata": metadata_of(
                            each["key"],
                            _etag(each),
                            {**(products[each["key"]] or {}), **seen_part(each.get("metadata", {}))},
                        ),
                    }
                    for each in batch
                )

    def delete(self, keys: Iterable[str]) -> None:
        """Delete vectors. Keys that are already gone are no error."""
        for batch in _batches(keys, PUT_BATCH):
            self._change(self._changing.delete_vectors, keys=batch)

    def indexes(self, prefix: str) -> list[str]:
        """List the names of the bucket's vector indexes that begin with `prefix`."""
        pages = self._client.get_paginator("list_indexes").paginate(vectorBucketName=self.index.bucket, prefix=prefix)
        with explained(self.index):
            return [each["indexName"] for page in pages for each in page["indexes"]]

    def drop(self, name: str) -> None:
        """Delete one of the bucket's vector indexes and all its vectors."""
        with explained(self.index):
            self._client.delete_index(vectorBucketName=self.index.bucket, indexName=name)

    def _change(self, operation: Callable[..., Any], **what: Any) -> None:
        """Make a change, trying again while the engine is busy."""
        for attempt in count(1):
            try:
                with explained(self.index):
                    operation(**self._address, **what)
                return
            except UnavailableError:
                if attempt == _TRIES:
                    raise
            _pause(attempt)

    def _put_all(self, written: Iterable[dict[str, Any]]) -> None:
        """Put at most 500 vectors, in as many requests as their products need."""
        batch: list[dict[str, Any]] = []
        size = 0
        for each in written:
            added = 2 * len(each["metadata"].get(PRODUCT, ""))
            if batch and size + added > _PUT_BYTES:
                self._change(self._changing.put_vectors, vectors=batch)
                batch, size = [], 0
            batch.append(each)
            size += added
        if batch:
            self._change(self._changing.put_vectors, vectors=batch)

    def _found(self, keys: Collection[str], **wanted: bool) -> Iterator[dict[str, Any]]:
        for batch in _batches(sorted(keys), _GET_BATCH):
            with explained(self.index):
                yield from self._client.get_vectors(**self._address, keys=batch, **wanted)["vectors"]

    def _listed(self, segment: int, within: Callable[[str], bool]) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("list_vectors").paginate(
            **self._address,
            returnMetadata=True,
            segmentCount=_SEGMENTS,
            segmentIndex=segment,
            PaginationConfig={"PageSize": _LIST_BATCH},
        )
        with explained(self.index):
            for page in pages:
                yield from (each for each in page["vectors"] if within(each["key"]))


def _pause(attempt: int) -> None:
    """Wait for a random time, up to twice as long after each attempt. Chance keeps writers from retrying in step."""
    time.sleep(random.uniform(0, min(2.0 ** (attempt - 1), _LONGEST_PAUSE)))  # noqa: S311 - jitter, no secret


def _held(vectors: Iterable[Mapping[str, Any]]) -> Held:
    held = Held({}, {}, {})
    same: dict[Seen, Seen] = {}  # one of each, as there may be millions of photos
    for each in vectors:
        held.etags[each["key"]] = _etag(each)
        seen = seen_of(each.get("metadata", {}))
        held.seen[each["key"]] = same.setdefault(seen, seen)
        if product := fingerprint(each.get("metadata", {})):
            held.products[each["key"]] = product
    return held


def _etag(vector: Mapping[str, Any]) -> str:
    # A vector that something else wrote has no ETag of ours. It matches no photo, and is replaced or deleted.
    return str(vector.get("metadata", {}).get(ETAG, ""))


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
