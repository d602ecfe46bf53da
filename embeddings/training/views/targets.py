"""Training targets: the classes of each head, and the labels of each photo as numbers."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from embeddings.training.data.photos import LabelledPhoto, Pixels
from embeddings.training.data.title_words import look_words
from embeddings.training.views.colour import PALETTE, central_lab, palette_shares

_FEWEST = 8  # a class with fewer photos in training is not learned
_FEWEST_TITLES = 40

Targets = dict[str, NDArray[np.float32]]
"""By head: (classes,) for one photo, (n, classes) for many."""


def head_classes(photos: Sequence[LabelledPhoto]) -> dict[str, tuple[str, ...]]:
    """Return the classes of each head.

    The heads are `category` (joint), `kind` (type and gender), `colour` and `usage` (the shop's words), `words` (looks
    that titles name) and `palette` (the colour as measured). A head is left out if the photos have fewer than two of
    its classes, and so is a rare word of the shop's own vocabulary.
    """
    shop = [photo for photo in photos if photo.domain == "shop"]
    looks = [look for photo in shop for look in look_words(photo.title)]
    classes = {
        "category": _words([photo.category for photo in photos], at_least=1),
        "kind": _words([_kind(photo) for photo in shop], at_least=_FEWEST),
        "colour": _words([photo.colour for photo in shop], at_least=_FEWEST),
        "usage": _words([photo.usage for photo in shop], at_least=_FEWEST_TITLES),
        "words": _words(looks, at_least=_FEWEST_TITLES),
        "palette": tuple(PALETTE),
    }
    return {head: words for head, words in classes.items() if len(words) > 1}


def kinds_categories(
    photos: Sequence[LabelledPhoto], classes: Mapping[str, Sequence[str]]
) -> NDArray[np.float32] | None:
    """Return an array (kinds, categories), 1 if photos of the kind belong to the category.

    With it, a consumer photo's category says which kinds are possible. It is None if either head is left out.
    """
    if "kind" not in classes or "category" not in classes:
        return None
    found = {(_kind(photo), photo.category) for photo in photos}
    pairs = [[(kind, category) in found for category in classes["category"]] for kind in classes["kind"]]
    return np.array(pairs, np.float32)


def photo_targets(photo: LabelledPhoto, pixels: Pixels, classes: Mapping[str, Sequence[str]]) -> Targets:
    """Return a photo's targets: shares that sum to 1, or zeros without a label; for `words`, a 1 for each word."""
    labels = {
        "category": {photo.category},
        "kind": {_kind(photo)},
        "colour": {photo.colour},
        "usage": {photo.usage},
        "words": look_words(photo.title),
    }
    targets = {
        head: np.array([word in labels[head] for word in words], np.float32)
        for head, words in classes.items()
        if head in labels
    }
    return targets | {"palette": palette_shares(central_lab(pixels))}


def _kind(photo: LabelledPhoto) -> str:
    return photo.kind if photo.domain == "shop" else ""


def _words(labels: Sequence[str], at_least: int) -> tuple[str, ...]:
    return tuple(sorted(word for word, count in Counter(labels).items() if word and count >= at_least))
