"""A gallery in Amazon S3 Vectors, which finds approximate neighbours over the network."""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import (
    CorruptIndexError,
    EmptyGalleryError,
    NotFoundError,
    SearchDepthError,
    StorageError,
    UnknownKeyError,
)
from embeddings.neighbours import Neighbour
from embeddings.ranking import DECIMALS, greedy
from embeddings.s3_vectors.address import VectorIndexName
from embeddings.s3_vectors.client import SEARCHING, explained, open_client
from embeddings.s3_vectors.metadata import DRAWS, Filter, drawn, in_folder
from embeddings.storage.keys import key_problem
from embeddings.unit_rows import unit_rows

_ONE_PAGE = 100
"""The most results in one answer. Since June 2026 more come in pages, up to 10,000."""
_SPARE = 16
"""Results asked for beyond what is wanted, so that ties at the cut can be broken by key."""
_DEDUPE_DEPTH = 1_000
_GET_BATCH = 100
_DRAW_FROM, _DRAW_LEAST, _DRAW_WIDER = 50, 10, 32
"""A stretch holds about 50 images; one with fewer than 10 is made 32 times as wide. A query asks for a page of 100,
and hardly any stretch ever holds more."""


class S3VectorsGallery:
    """Gives the answers of `embeddings.gallery.Gallery`, except for neighbours that the engine misses.

    Every method raises UnavailableError or StorageError if the engine does not answer, and CorruptIndexError if the
    vector index is gone.
    """

    def __init__(self, index: VectorIndexName, dimension: int, count: int, folders: Mapping[str, int]) -> None:
        """Open a client, without a request yet.

        Args:
            index: the vector index.
            dimension: the length of its vectors.
            count: about how many there are.
            folders: images by top folder.
        """
        self._index = index
        self._dimension = dimension
        self._count = count
        self.folders = folders
        self._client = open_client(index, SEARCHING)

    def vector(self, key: str) -> NDArray[np.float32]:
        """Return an image's unit vector, float32 (dimension,).

        Raises:
            UnknownKeyError.
        """
        found = {} if key_problem(key) else self._vectors([key])
        if key not in found:
            raise UnknownKeyError(f"the gallery has no image {key!r}")
        return found[key]

    def random_key(self, prefix: str = "") -> str:
        """Choose a random image of the folder `prefix`, all about equally likely.

        Each image has a fixed number. This chooses a stretch of numbers that should hold 50 images, and one image of
        it. If the folder has few images there, it widens the stretch 32 times.

        Raises:
            EmptyGalleryError: the gallery, or that folder of it, is empty.
        """
        folder = prefix.rstrip("/")
        anywhere = np.random.default_rng().standard_normal(self._dimension, np.float32)
        stretches = max(1, self._count // _DRAW_FROM)
        place = secrets.randbelow(DRAWS)
        while not key_problem(folder or "a"):
            chosen = place * stretches // DRAWS
            first, end = (-(-number * DRAWS // stretches) for number in (chosen, chosen + 1))
            found = self._query(anywhere, _ONE_PAGE, drawn(folder, first, end))
            if found and (len(found) >= _DRAW_LEAST or stretches == 1):
                return str(secrets.choice(found)["key"])
            if stretches == 1:
                break
            stretches = max(1, stretches // _DRAW_WIDER)
        raise EmptyGalleryError(f"the gallery has no image under {prefix!r}" if prefix else "the gallery is empty")

    def search(
        self,
        query: NDArray[np.float32],
        *,
        k: int = 16,
        offset: int = 0,
        prefix: str = "",
        min_score: float | None = None,
        dedupe: float | None = None,
        exclude: Collection[str] = (),
    ) -> list[Neighbour]:
        """Find the nearest images by cosine, best first, ties by key. The engine may miss some.

        Arguments and the order of conditions are those of `embeddings.gallery.Gallery.search`, except that `dedupe`
        looks at the best 1,000 only.

        Raises:
            SearchDepthError: the engine or the installed client cannot go as deep as `offset` + `k`.
        """
        folder = prefix.rstrip("/")
        if folder and key_problem(folder):
            return []
        wanted = offset + k

        def ranked(count: int) -> list[Neighbour]:
            found = self._nearest(query, count + len(exclude), in_folder(folder))
            return [
                each for each in found if each.key not in exclude and (min_score is None or each.score >= min_score)
            ]

        kept = ranked(wanted) if dedupe is None else self._distinct(ranked, wanted, dedupe)
        return kept[offset:wanted]

    def _distinct(self, ranked: Callable[[int], list[Neighbour]], wanted: int, limit: float) -> list[Neighbour]:
        """Drop near-duplicates greedily in rank order: among a page first, and among 1,000 if those do not suffice."""
        kept: list[Neighbour] = []
        for reach in (_ONE_PAGE - _SPARE, _DEDUPE_DEPTH):
            if wanted > reach and reach != _DEDUPE_DEPTH:
                continue
            kept, kept_vectors = [], np.empty((0, self._dimension), dtype=np.float32)
            candidates = ranked(reach)
            for start in range(0, len(candidates), _GET_BATCH):
                block = candidates[start : start + _GET_BATCH]
                found = self._vectors([each.key for each in block])
                block = [each for each in block if each.key in found]  # the others were deleted a moment ago
                vectors = np.stack([found[each.key] for each in block]) if block else kept_vectors[:0]
                new = greedy(vectors, kept_vectors, limit)[: wanted - len(kept)]
                kept += [block[position] for position in new]
                kept_vectors = np.concatenate([kept_vectors, vectors[new]])
                if len(kept) == wanted:
                    return kept
            if len(candidates) < reach:
                break
        return kept

    def _nearest(self, query: NDArray[np.float32], count: int, where: Filter) -> list[Neighbour]:
        most = count + _SPARE
        found = self._query(query, min(most, _ONE_PAGE) if count <= _ONE_PAGE else most, where)
        # Adding 0 turns -0 into 0.
        scored = [Neighbour(each["key"], round(1 - each["distance"], DECIMALS) + 0.0) for each in found]
        return sorted(scored, key=lambda each: (-each.score, each.key))

    def _query(self, query: NDArray[np.float32], count: int, where: Filter) -> list[dict[str, Any]]:
        """Ask for up to `count` results, each with `key` and `distance`, nearest first."""
        asked: dict[str, Any] = {
            **self._address,
            "topK": count,
            "queryVector": {"float32": query.tolist()},
            "returnDistance": True,
            **({"filter": where} if where else {}),
        }
        deep = count > _ONE_PAGE
        if deep and not self._client.can_paginate("query_vectors"):
            raise SearchDepthError(
                f"this botocore cannot page through S3 Vectors: update it, or ask for at most {_ONE_PAGE} results"
            )
        try:
            with explained(self._index):
                if not deep:
                    return list(self._client.query_vectors(**asked)["vectors"])
                pages = self._client.get_paginator("query_vectors").paginate(**asked)
                return [each for page in pages for each in page["vectors"]]
        except NotFoundError as error:
            raise self._gone() from error
        except StorageError as error:
            if deep and isinstance(error.__cause__, self._client.exceptions.ValidationException):
                raise SearchDepthError(f"S3 Vectors refuses to return {count} results: {error}") from error
            raise

    def _vectors(self, keys: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Get the unit vectors of at most 100 keys, by key, without those that do not exist."""
        if not keys:
            return {}
        try:
            with explained(self._index):
                found = self._client.get_vectors(**self._address, keys=list(keys), returnData=True)["vectors"]
        except NotFoundError as error:
            raise self._gone() from error
        if not found:
            return {}
        rows = unit_rows(np.array([each["data"]["float32"] for each in found], dtype=np.float64))
        return {each["key"]: row for each, row in zip(found, rows, strict=True)}

    @property
    def _address(self) -> dict[str, str]:
        return {"vectorBucketName": self._index.bucket, "indexName": self._index.name}

    def _gone(self) -> CorruptIndexError:
        return CorruptIndexError(f"{self._index} is missing; roll back, or rebuild with --full")
