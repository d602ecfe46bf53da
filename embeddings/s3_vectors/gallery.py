"""A gallery in Amazon S3 Vectors, which finds approximate neighbours over the network."""

import random
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import UnknownKeyError, UnknownProductError
from embeddings.neighbours import Found, Neighbour, no_image
from embeddings.products.column import ColumnSummary
from embeddings.products.vocabulary import fold
from embeddings.products.where import Condition
from embeddings.ranking import DECIMALS, first_of_groups, greedy, mean_direction
from embeddings.s3_vectors.address import VectorIndexName
from embeddings.s3_vectors.filters import both, condition_filter, of_product
from embeddings.s3_vectors.hits import Hit, count_hits, other_photos
from embeddings.s3_vectors.metadata import DRAWS, Filter, drawn, in_folder
from embeddings.s3_vectors.queries import ONE_PAGE, VectorQueries
from embeddings.storage.keys import key_problem

_SPARE = 16
"""Results asked for beyond what is wanted, so that ties at the cut can be broken by key."""
_DEDUPE_DEPTH = 1_000
_DRAW_FROM, _DRAW_LEAST, _DRAW_WIDER = 50, 10, 32
"""A stretch holds about 50 images; one with fewer than 10 is made 32 times as wide. A query asks for a page of 100,
and hardly any stretch ever holds more."""


class S3VectorsGallery:
    """Gives the answers of `embeddings.gallery.Gallery`, except for neighbours that the engine misses.

    Every method raises UnavailableError or StorageError if the engine does not answer, and CorruptIndexError if the
    vector index is gone.
    """

    def __init__(
        self,
        index: VectorIndexName,
        dimension: int,
        count: int,
        folders: Mapping[str, int],
        columns: Sequence[ColumnSummary] = (),
    ) -> None:
        """Open a client, without a request yet.

        Args:
            index: the vector index.
            dimension: the length of its vectors.
            count: about how many there are.
            folders: images by top folder.
            columns: of the products; none without a product feed.
        """
        self._dimension = dimension
        self._count = count
        self.folders = folders
        self.columns = columns
        self._queries = VectorQueries(index)

    def vector(self, key: str) -> NDArray[np.float32]:
        """Return an image's unit vector, float32 (dimension,).

        Raises:
            UnknownKeyError.
        """
        found = {} if key_problem(key) else self._queries.vectors([key])
        if key not in found:
            raise UnknownKeyError(f"the gallery has no image {key!r}")
        return found[key]

    def random_key(self, prefix: str = "", where: Sequence[Condition] = ()) -> str:
        """Choose a random image of the folder `prefix` that meets conditions, all about equally likely.

        Each image has a fixed number. This chooses a stretch of numbers that should hold 50 images, and one image of
        it. If there are few such images, it widens the stretch 32 times.

        Raises:
            EmptyGalleryError: there is no such image.
        """
        folder = prefix.rstrip("/")
        anywhere, conditions = self._anywhere(), [condition_filter(each) for each in where]
        stretches = max(1, self._count // _DRAW_FROM)
        place = secrets.randbelow(DRAWS)
        while not key_problem(folder or "a"):
            chosen = place * stretches // DRAWS
            first, end = (-(-number * DRAWS // stretches) for number in (chosen, chosen + 1))
            found = self._queries.nearest(anywhere, ONE_PAGE, both(drawn(folder, first, end), *conditions))
            if found and (len(found) >= _DRAW_LEAST or stretches == 1):
                return str(secrets.choice(found)["key"])
            if stretches == 1:
                break
            stretches = max(1, stretches // _DRAW_WIDER)
        raise no_image(prefix, where)

    def named(self, word: str) -> Condition | None:
        """Return the condition for products of a brand, if it is one word and among the frequent ones.

        The engine cannot look for a word in a title.
        """
        brands = next((each.values for each in self.columns if each.name == "brand"), ())
        return Condition("brand", negated=False, texts=(word,)) if word in map(fold, brands) else None

    def product_photos(self, product: str) -> tuple[list[str], NDArray[np.float32]]:
        """Return the keys of a product's photos, at most 100, and their mean direction, a unit vector.

        Arguments and errors are those of `embeddings.gallery.Gallery.product_photos`.
        """
        hits = self._hits(self._anywhere(), ONE_PAGE, of_product(product)) if self.columns else []
        named = {hit.group for hit in hits if hit.id == product}
        groups = {hit.group for hit in hits if hit.group == product} or named
        if not groups:
            raise UnknownProductError(f"the gallery has no product {product!r}")
        if product not in groups:  # it is a variant: look for the others
            hits = self._hits(self._anywhere(), ONE_PAGE, of_product(next(iter(groups)) or ""))
        found = self._queries.vectors([hit.key for hit in hits if hit.group in groups])
        keys = sorted(found)
        if not keys:
            raise UnknownProductError(f"the photos of {product!r} were deleted a moment ago")
        return keys, mean_direction(np.stack([found[key] for key in keys]))

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
        where: Sequence[Condition] = (),
        group: bool = False,
        fields: Collection[str] | None = (),
        facets: Sequence[str] = (),
    ) -> Found:
        """Find the nearest images by cosine, best first, ties by key. The engine may miss some.

        Arguments and the order of conditions are those of `embeddings.gallery.Gallery.search`, except that `dedupe`,
        `group` and `facets` look at the best 1,000 only, and that the other photos of a product are listed only as far
        as the search had to look.

        Raises:
            SearchDepthError: the engine or the installed client cannot go as deep as `offset` + `k`, or as 1,000.
        """
        folder = prefix.rstrip("/")
        if folder and key_problem(folder):
            return Found()
        if not query.any():
            query = np.ones_like(query)  # the engine takes no vector without a direction
        group = group and bool(self.columns)
        own = {hit.group for hit in self._excluded(exclude)} if group else set()
        wanted, conditions = offset + k, both(in_folder(folder), *map(condition_filter, where))
        with_products = bool(self.columns) and (fields is None or bool(fields) or group or bool(facets))

        def ranked(count: int) -> list[Hit]:
            hits = self._hits(query, count + len(exclude), conditions, with_metadata=with_products)
            return [
                hit
                for hit in hits
                if hit.key not in exclude
                and (min_score is None or hit.score >= min_score)
                and (hit.group is None or hit.group not in own)
            ]

        if dedupe is None and not group and not facets:
            candidates = ranked(wanted)
            kept = candidates[:wanted]
        else:
            kept, candidates = self._distinct(ranked, wanted, dedupe, group=group, all_of_them=bool(facets))
        kept = kept[offset:]
        found = Found(Neighbour(hit.key, hit.score) for hit in kept)
        if with_products and (fields is None or fields):
            found.products = [hit.product_fields(fields) for hit in kept]
            found.seen = [hit.seen_fields(fields) for hit in kept]
        if group:
            found.others = other_photos(kept, candidates)
        if facets and self.columns:
            found.facets = count_hits(candidates, facets, self.columns, grouped=group)
        return found

    def _distinct(
        self, ranked: Callable[[int], list[Hit]], wanted: int, dedupe: float | None, *, group: bool, all_of_them: bool
    ) -> tuple[list[Hit], list[Hit]]:
        """Drop what repeats a better hit: among a page first, and among 1,000 if those do not suffice.

        Returns:
            The hits that stay, at most `wanted`, and those that were looked at.
        """
        kept: list[Hit] = []
        candidates: list[Hit] = []
        for reach in (ONE_PAGE - _SPARE, _DEDUPE_DEPTH):
            if reach != _DEDUPE_DEPTH and (wanted > reach or all_of_them):
                continue
            candidates = ranked(reach)
            kept = first_of_groups(candidates, (hit.group for hit in candidates), set()) if group else candidates
            if dedupe is not None:
                kept = self._without_copies(kept, wanted, dedupe)
            if len(kept) >= wanted or len(candidates) < reach:
                break
        return kept[:wanted], candidates

    def _without_copies(self, hits: list[Hit], wanted: int, limit: float) -> list[Hit]:
        kept: list[Hit] = []
        kept_vectors = np.empty((0, self._dimension), dtype=np.float32)
        for start in range(0, len(hits), ONE_PAGE):
            block = hits[start : start + ONE_PAGE]
            found = self._queries.vectors([each.key for each in block])
            block = [each for each in block if each.key in found]  # the others were deleted a moment ago
            vectors = np.stack([found[each.key] for each in block]) if block else kept_vectors[:0]
            new = greedy(vectors, kept_vectors, limit)[: wanted - len(kept)]
            kept += [block[position] for position in new]
            kept_vectors = np.concatenate([kept_vectors, vectors[new]])
            if len(kept) == wanted:
                break
        return kept

    def _excluded(self, keys: Collection[str]) -> list[Hit]:
        """Look up the products of images that are left out."""
        known = [key for key in keys if not key_problem(key)][:ONE_PAGE]
        return [Hit("", 0.0, metadata) for metadata in self._queries.metadata(known)]

    def _hits(self, query: NDArray[np.float32], count: int, where: Filter, *, with_metadata: bool = True) -> list[Hit]:
        most = count + _SPARE
        most = min(most, ONE_PAGE) if count <= ONE_PAGE else most
        found = self._queries.nearest(query, most, where, with_metadata=with_metadata)
        # Adding 0 turns -0 into 0.
        hits = [
            Hit(each["key"], round(1 - each["distance"], DECIMALS) + 0.0, each.get("metadata", {})) for each in found
        ]
        return sorted(hits, key=lambda hit: (-hit.score, hit.key))

    def _anywhere(self) -> NDArray[np.float32]:
        # Not by numpy.random, which would be 3 MB of a Lambda bundle.
        return np.array([random.gauss() for _ in range(self._dimension)], np.float32)
