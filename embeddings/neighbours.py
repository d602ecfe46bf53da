"""What a search returns, and the protocol of a gallery that can be searched."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import EmptyGalleryError

if TYPE_CHECKING:
    from embeddings.products.column import ColumnSummary
    from embeddings.products.where import Condition


MOST_OTHERS = 20
"""How many other photos of a product a search lists."""


class Neighbour(NamedTuple):
    """An image of the gallery and its cosine to the query, rounded to 6 decimals."""

    key: str
    score: float


class Found(list[Neighbour]):
    """Neighbours, best first, and what a search was asked to say about them; each list is in their order."""

    products: Sequence[dict[str, Any] | None] = ()
    """The product that each shows, or None."""
    seen: Sequence[dict[str, Any] | None] = ()
    """What the model sees in each: `kind`, `gender`, `colour` and `words`, as far as it is sure; or None."""
    others: Sequence[list[str]] = ()
    """The keys of the other photos of each one's product that match, best first, if products were grouped."""
    facets: Mapping[str, dict[str, Any]] = {}
    """Of all that matches; see `embeddings.products.facets`."""


class SearchableGallery(Protocol):
    """A gallery that can be searched: `Gallery` in memory, or `S3VectorsGallery` over the network.

    `Gallery` documents the methods. Over the network they raise StorageError as well.
    """

    @property
    def folders(self) -> Mapping[str, int]:
        """Top folders, and how many images each holds."""

    def vector(self, key: str) -> NDArray[np.float32]:
        """Return the unit vector of an image."""

    def random_key(self, prefix: str = "", where: "Sequence[Condition]" = ()) -> str:
        """Choose an image of the folder `prefix` that meets conditions."""

    @property
    def columns(self) -> "Sequence[ColumnSummary]":
        """The columns of the products; none without a product feed."""

    def named(self, word: str) -> "Condition | None":
        """Return the condition for products with a word in title or brand; None if there is none."""

    def product_photos(self, product: str) -> tuple[list[str], NDArray[np.float32]]:
        """Return the keys of a product's photos, and their mean direction."""

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
        """Find the nearest images."""


def no_image(prefix: str, where: "Sequence[Condition]") -> EmptyGalleryError:
    """Return the error for a random image that cannot be chosen."""
    if not prefix and not where:
        return EmptyGalleryError("the gallery is empty")
    folder = f" under {prefix!r}" if prefix else ""
    return EmptyGalleryError(f"the gallery has no image{folder}{' that meets the conditions' if where else ''}")
