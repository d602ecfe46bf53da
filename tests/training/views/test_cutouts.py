"""Garments cut from shop photos by their white ground, and from consumer photos by a mask."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embeddings.training.data.photos import DatasetError, LabelledPhoto
from embeddings.training.views.cutouts import cut_out, cut_out_by_mask, read_mask
from tests.training.shapes import COLOURS, draw_garment, shop_photo

CONSUMER_PHOTO = LabelledPhoto("consumer/one.webp", "consumer", "t-shirt", "", "", "", "1", "item", "train")


def test_the_cut_out_keeps_the_garment_and_drops_the_white():
    garment = cut_out(shop_photo())
    alpha = np.asarray(garment.getchannel("A"))
    assert garment.width == pytest.approx(96, abs=6)  # 80 % of 120
    assert alpha[alpha.shape[0] // 2, alpha.shape[1] // 2] == 255
    assert alpha[-3, 2] == 0  # under the sleeve
    opaque = np.asarray(garment)[alpha == 255, :3]
    assert (opaque == COLOURS["Red"]).all(axis=1).mean() > 0.98


def test_white_inside_a_garment_stays():
    photo = shop_photo().copy()
    photo[75:85, 55:65] = 255
    garment = cut_out(photo)
    assert (
        np.asarray(garment.getchannel("A")).reshape(-1)[garment.width * (garment.height // 2) + garment.width // 2]
        == 255
    )


@pytest.mark.parametrize("photo", [np.full((50, 40, 3), 255, np.uint8), np.full((50, 40, 3), 90, np.uint8)])
def test_a_photo_without_a_white_ground_is_returned_whole(photo: np.ndarray):
    garment = cut_out(photo)
    assert garment.size == (40, 50)
    assert garment.getchannel("A").getextrema() == (255, 255)


def test_a_mask_cuts_the_garment_from_any_ground(tmp_path: Path):
    photo = np.asarray(draw_garment("Tshirts", COLOURS["Red"], (90, 120, 60)))
    drawn = Image.fromarray((photo == COLOURS["Red"]).all(axis=2))
    (tmp_path / "consumer").mkdir()
    drawn.convert("L").resize((60, 80)).save(tmp_path / "consumer" / "one.png")  # of another size than the photo
    garment = cut_out_by_mask(photo, read_mask(tmp_path, CONSUMER_PHOTO))
    assert garment is not None
    assert garment.width == pytest.approx(96, abs=4)
    opaque = np.asarray(garment)[np.asarray(garment.getchannel("A")) == 255, :3]
    assert (opaque == COLOURS["Red"]).all(axis=1).mean() > 0.98


@pytest.mark.parametrize("level", [0, 255])
def test_a_mask_that_found_nothing_gives_no_garment(level: int):
    assert cut_out_by_mask(shop_photo(), Image.new("L", (120, 160), level)) is None


def test_a_missing_mask_is_named(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"consumer.one\.png.*every consumer photo"):
        read_mask(tmp_path, CONSUMER_PHOTO)
