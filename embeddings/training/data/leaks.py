"""Keeps photos out of training that show what validation or test measures."""

from collections.abc import Sequence

from embeddings.training.data.photos import LabelledPhoto


def without_leaks(photos: Sequence[LabelledPhoto]) -> list[LabelledPhoto]:
    """Leave out the training-only photos that come too close to a measured one; keep the order of the others.

    A small photo is too close if a photo of validation or test has its title and colour: catalogues sell one product
    under several numbers. A consumer photo without a label is too close if its sender's labelled photos are measured.
    """
    measured = [photo for photo in photos if photo.part != "train"]
    products = {_product(photo) for photo in measured if photo.title}
    senders = {photo.sender for photo in measured if photo.sender}
    return [
        photo
        for photo in photos
        if not (photo.training_only and (_product(photo) in products or photo.sender in senders))
    ]


def _product(photo: LabelledPhoto) -> tuple[str, str]:
    """Title and colour; titles differ in capitals and spaces between photos of one product."""
    return " ".join(photo.title.casefold().split()), photo.colour.casefold()
