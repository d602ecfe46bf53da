"""A gallery in memory, which is searched exactly."""

import secrets
from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property, partial
from operator import lt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import UnknownKeyError, UnknownProductError
from embeddings.folder_counts import top_folders
from embeddings.neighbours import MOST_OTHERS, Found, Neighbour, no_image
from embeddings.ranking import Rows, Scores, best, best_distinct, matching, mean_direction, rows_at
from embeddings.scan import Scan
from embeddings.unit_rows import picked_rows, scores_of

if TYPE_CHECKING:
    from embeddings.products.column import ColumnSummary
    from embeddings.products.columns import Columns
    from embeddings.products.where import Condition

_GATHER = 6
"""If less than a sixth of the rows is left, they are gathered; else all are scanned."""


class Gallery:
    """A gallery in memory: a matrix of unit vectors, whose rows are in key order.

    A folder is then a slice of the matrix, and ties between equal scores go by row.
    """

    def __init__(self, vectors: NDArray[np.floating], keys: Sequence[str], products: "Columns | None" = None) -> None:
        """Take a matrix (n, dimension) and its n keys, strictly ascending.

        Args:
            vectors: rows of finite numbers, which are not copied. Those of float32 have unit length; rows of other
                types are scaled to it whenever they are used.
            keys: one for each row.
            products: the product of each row; None without a product feed.

        Raises:
            ValueError: there are not as many keys or products as rows, or the keys are not strictly ascending.
        """
        if vectors.ndim != 2 or len(vectors) != len(keys):
            raise ValueError(f"a matrix of shape {vectors.shape} does not fit {len(keys)} keys")
        if not all(map(lt, keys, keys[1:])):
            raise ValueError("keys must be unique and in ascending order")
        if products is not None and len(products.rows) != len(keys):
            raise ValueError(f"there are products of {len(products.rows)} images for {len(keys)} keys")
        self.keys = keys
        self._products = products
        self._vectors = vectors
        self._scan = Scan(vectors)

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def dimension(self) -> int:
        """The length of its vectors."""
        return int(self._vectors.shape[1])

    @cached_property
    def folders(self) -> Mapping[str, int]:
        """Top folders, and how many images each holds; counted on first use."""
        return top_folders(self.keys)

    @property
    def columns(self) -> "Sequence[ColumnSummary]":
        """The columns of the products; none without a product feed."""
        return () if self._products is None else self._products.summaries

    def vector(self, key: str) -> NDArray[np.float32]:
        """Return the unit vector of an image, float32 (dimension,).

        Raises:
            UnknownKeyError: the gallery has no such image.
        """
        vector: NDArray[np.float32] = picked_rows(self._vectors, np.array([self._row(key)]))[0]
        return vector

    def random_key(self, prefix: str = "", where: "Sequence[Condition]" = ()) -> str:
        """Choose an image of the folder `prefix` that meets conditions at random, each with the same chance.

        Raises:
            EmptyGalleryError: there is no such image.
        """
        folder = self._folder_rows(prefix)
        rows: Sequence[int] = folder
        if where and self._products is not None:
            kept = self._products.matches(where, slice(folder.start, folder.stop))
            rows = (np.flatnonzero(kept) + folder.start).tolist()
        if not rows:
            raise no_image(prefix, where)
        return self.keys[secrets.choice(rows)]

    def named(self, word: str) -> "Condition | None":
        """Return the condition for products with a word, in lower case, in title or brand; None if there is none."""
        if self._products is None or not self._products.named(word).any():
            return None
        from embeddings.products.where import Condition

        return Condition("title", negated=False, word=word)

    def product_photos(self, product: str) -> tuple[list[str], NDArray[np.float32]]:
        """Return the keys of a product's photos and their mean direction, a unit vector, float32 (dimension,).

        Args:
            product: its `item_group_id`, or the `id` of one of its variants; all variants are one product.

        Raises:
            UnknownProductError: the gallery has no such product.
        """
        group = None if self._products is None else self._products.group_of(product)
        if self._products is None or group is None:
            raise UnknownProductError(f"the gallery has no product {product!r}")
        rows = np.flatnonzero(self._products.groups == group)
        return [self.keys[row] for row in rows.tolist()], mean_direction(picked_rows(self._vectors, rows))

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
        where: "Sequence[Condition]" = (),
        group: bool = False,
        fields: Collection[str] | None = (),
        facets: Sequence[str] = (),
    ) -> Found:
        """Find the nearest images by cosine: exact, best first, equal scores in key order.

        Every condition applies before the cut to k: first those that know no scores, then `group`, then `dedupe`.

        Args:
            query: unit vector, float32 (dimension,).
            k: how many to return, after the first `offset`.
            offset: how many of the best to skip.
            prefix: search this folder alone ("shirts" and "shirts/" are the same).
            min_score: leave out images with a lower score.
            dedupe: leave out images whose cosine to a better one that stays is this or higher.
            exclude: keys to leave out, with `group` all photos of their products; unknown ones are ignored.
            where: conditions that the image's product must meet, from `parse_where` with `columns`.
            group: return each product once, by its best image.
            fields: the columns to return of each product; None for all.
            facets: the columns to count over all that matches, before `group` and `dedupe`.
        """
        scores = self._scored(query, self._folder_rows(prefix), exclude, where, group=group)
        wanted = offset + k
        if dedupe is None and not group:
            ranked = best(scores, wanted, min_score)
        else:
            groups = self._products.groups if group and self._products is not None else None
            vectors = partial(picked_rows, self._vectors)
            ranked = best_distinct(scores, wanted, min_score, vectors=vectors, dedupe=dedupe, groups=groups)
        ranked = ranked[offset:]
        found = Found(Neighbour(self.keys[row], score) for row, score in ranked)
        if self._products is None:
            return found
        if fields is None or fields:
            found.products = [self._products.product(row, fields) for row, _ in ranked]
            found.seen = [self._products.seen(row, fields) for row, _ in ranked]
        if group:
            found.others = self._others([row for row, _ in ranked], scores, min_score)
        if facets:
            from embeddings.products.facets import count_facets

            matched = rows_at(scores.rows, matching(scores, min_score))
            found.facets = count_facets(self._products, facets, matched, grouped=group)
        return found

    def _scored(
        self,
        query: NDArray[np.float32],
        rows: range,
        exclude: Collection[str],
        where: "Sequence[Condition]",
        *,
        group: bool,
    ) -> Scores:
        """Score what the conditions leave that know no scores."""
        folder = slice(rows.start, rows.stop)
        left: Rows = rows
        places = [row - rows.start for key in exclude if (row := self._find(key)) is not None and row in rows]
        kept = self._kept(folder, exclude, where, group=group)
        if kept is None:
            estimates, errors = self._scan.estimate(folder, query)
            estimates[places] = -np.inf
        else:
            kept[places] = False
            found = np.flatnonzero(kept)
            left = found + rows.start
            if len(left) * _GATHER > len(rows):
                estimates, errors = (each[found] for each in self._scan.estimate(folder, query))
            else:
                estimates, errors = self._scan.estimate(left, query)
        return Scores(left, estimates, errors, lambda some: scores_of(self._vectors, some, query))

    def _kept(
        self, folder: slice, exclude: Collection[str], where: "Sequence[Condition]", *, group: bool
    ) -> NDArray[np.bool_] | None:
        """Say which rows of a folder the conditions on products leave; None for all."""
        products = self._products
        if products is None:
            return None
        kept = products.matches(where, folder) if where else None
        if group and exclude:
            found = [row for key in exclude if (row := self._find(key)) is not None]
            groups = [number for number in products.groups[found].tolist() if number >= 0]
            others = ~np.isin(products.groups[folder], groups)
            kept = others if kept is None else kept & others
        return kept

    def _others(self, shown: list[int], scores: Scores, min_score: float | None) -> list[list[str]]:
        """For each image that is shown, list the others of its product that match, best first."""
        assert self._products is not None, "there are groups"  # noqa: S101
        groups = self._products.groups
        others: dict[int, list[str]] = {group: [] for group in groups[shown].tolist() if group >= 0}
        rows = scores.rows
        of_rows = groups[rows.start : rows.stop] if isinstance(rows, range) else groups[rows]
        members = np.flatnonzero(np.isin(of_rows, list(others)))
        for row, _ in best(scores.at(members), len(members), min_score):
            listed = others[int(groups[row])]
            if row not in shown and len(listed) < MOST_OTHERS:
                listed.append(self.keys[row])
        return [others.get(group, []) for group in groups[shown].tolist()]

    def _find(self, key: str) -> int | None:
        row = bisect_left(self.keys, key)
        return row if row < len(self.keys) and self.keys[row] == key else None

    def _row(self, key: str) -> int:
        row = self._find(key)
        if row is None:
            raise UnknownKeyError(f"the gallery has no image {key!r}")
        return row

    def _folder_rows(self, prefix: str) -> range:
        folder = prefix.rstrip("/")
        if not folder:
            return range(len(self.keys))
        return range(bisect_left(self.keys, folder + "/"), bisect_left(self.keys, folder + chr(ord("/") + 1)))
