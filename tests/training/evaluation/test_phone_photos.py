"""Simulated phone photos: the item, its ground, and what lies beside it."""

from io import BytesIO

import numpy as np
from PIL import Image

from embeddings.training.evaluation.phone_photos import phone_photo
from tests.training.shapes import shop_photo


def test_a_phone_photo_shows_the_item_on_other_ground():
    item, place = shop_photo(), np.full((120, 90, 3), (60, 120, 90), np.uint8)
    photo = phone_photo(item, place, (7, 1))
    assert photo == phone_photo(item, place, (7, 1))
    assert photo != phone_photo(item, place, (7, 2))
    image = Image.open(BytesIO(photo))
    assert (image.format, image.size) == ("JPEG", (300, 400))
    middle = np.asarray(image)[180:220, 130:170].reshape(-1, 3).mean(axis=0)
    assert middle.argmax() == 0  # the red shirt
    corner = np.asarray(image)[:20, :20].reshape(-1, 3).mean(axis=0)
    assert corner.argmax() == 1  # the green floor, no white left


def test_other_garments_are_smaller_and_lie_under_the_item():
    item, place = shop_photo(), np.full((120, 90, 3), (60, 120, 90), np.uint8)
    blue = np.where(item.min(axis=2, keepdims=True) < 200, np.array((20, 20, 220), np.uint8), item)
    alone, crowded = (
        np.asarray(Image.open(BytesIO(phone_photo(item, place, (7, 1), others)))).astype(int)
        for others in ((), (blue, blue, blue, blue))
    )
    assert np.abs(alone - crowded)[180:220, 130:170].mean() < 6
    for corner in (np.s_[:60, :60], np.s_[:60, -60:], np.s_[-60:, :60], np.s_[-60:, -60:]):
        share_of_blue = (crowded[corner].argmax(axis=2) == 2).mean()
        assert share_of_blue > 0.2 > (alone[corner].argmax(axis=2) == 2).mean()
