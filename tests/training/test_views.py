"""Cutting out, backgrounds, augmentation, and the measuring generator."""

from dataclasses import fields
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from embeddings.training.config import Augmentation
from embeddings.training.data.photos import DatasetError, LabelledPhoto
from embeddings.training.evaluation.phone_photos import phone_photo
from embeddings.training.views.augmentation import (
    camera,
    consumer_view,
    phone_view,
    shop_view,
    studio_view,
)
from embeddings.training.views.backgrounds import Backgrounds
from embeddings.training.views.colour import to_lab
from embeddings.training.views.cutouts import cut_out, cut_out_by_mask, read_mask
from embeddings.training.views.items import LoadedPhoto, group
from tests.training.shapes import COLOURS, draw_garment

WHITE = (255, 255, 255)
AUGMENTATIONS = tuple(field.name for field in fields(Augmentation))
NOTHING = Augmentation(**dict.fromkeys(AUGMENTATIONS, 0.0))


def shop_photo(colour=(190, 30, 40)) -> np.ndarray:
    return np.asarray(draw_garment("Tshirts", colour, WHITE))


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
def test_what_is_not_on_white_comes_back_whole(photo: np.ndarray):
    garment = cut_out(photo)
    assert garment.size == (40, 50)
    assert garment.getchannel("A").getextrema() == (255, 255)


def test_a_mask_cuts_the_garment_from_any_ground(tmp_path: Path):
    photo = np.asarray(draw_garment("Tshirts", COLOURS["Red"], (90, 120, 60)))
    drawn = Image.fromarray((photo == COLOURS["Red"]).all(axis=2))
    (tmp_path / "consumer").mkdir()
    drawn.convert("L").resize((60, 80)).save(tmp_path / "consumer" / "one.png")  # of another size than the photo
    garment = cut_out_by_mask(photo, read_mask(tmp_path, picture("consumer/one.webp", "consumer").photo))
    assert garment is not None
    assert garment.width == pytest.approx(96, abs=4)
    opaque = np.asarray(garment)[np.asarray(garment.getchannel("A")) == 255, :3]
    assert (opaque == COLOURS["Red"]).all(axis=1).mean() > 0.98


@pytest.mark.parametrize("level", [0, 255])
def test_a_mask_that_found_nothing_gives_no_garment(level: int):
    assert cut_out_by_mask(shop_photo(), Image.new("L", (120, 160), level)) is None


def test_a_missing_mask_is_named(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"consumer.one\.png.*every consumer photo"):
        read_mask(tmp_path, picture("consumer/one.webp", "consumer").photo)


def picture(file: str, domain, item: str = "", garment: Image.Image | None = None) -> LoadedPhoto:
    return LoadedPhoto(
        LabelledPhoto(file, domain, "t-shirt", "", "", "", "1", item or file, "train"), shop_photo(), garment
    )


def test_an_item_prefers_photos_of_both_domains_over_its_cut_outs():
    garment = cut_out(shop_photo())
    shop, snapshot = picture("s", "shop", "shirt", garment), picture("c", "consumer", "shirt", garment)
    alone, uncut = picture("a", "consumer", garment=garment), picture("b", "consumer")
    both, consumer_only = group([shop, snapshot, alone, uncut])
    assert (both.query_side, both.gallery_side) == ((snapshot,), (shop,))
    assert (consumer_only.query_side, consumer_only.gallery_side) == ((alone,), (alone,))


def test_a_cut_out_consumer_photo_is_shown_as_a_shop_would():
    view = picture("a", "consumer", garment=cut_out(shop_photo())).shop_view(np.random.default_rng(0))
    assert (view[[0, -1]] == 255).all()
    assert view[80, 80].argmax() == 0


def test_the_main_garment_stays_in_the_middle_of_clutter():
    main, other = cut_out(shop_photo((190, 30, 40))), cut_out(shop_photo((30, 60, 190)))
    seen = 0
    for seed in range(40):
        view = phone_view(main, Backgrounds([]), [other], np.random.default_rng(seed)).astype(int)
        centre = view[60:100, 60:100].reshape(-1, 3).mean(axis=0)
        seen += centre[0] > centre[2]
    assert seen >= 36


def test_views_have_the_models_size_and_follow_from_the_seed():
    backgrounds = Backgrounds([np.asarray(draw_garment("Trousers", (20, 20, 20), (180, 160, 120)))])
    garment, photo = cut_out(shop_photo()), shop_photo()
    for view in (
        lambda rng: phone_view(garment, backgrounds, [cut_out(shop_photo((40, 70, 180)))], rng),
        lambda rng: shop_view(photo, rng),
        lambda rng: studio_view(garment, rng),
        lambda rng: consumer_view(photo, rng),
    ):
        one, again, other = (
            view(np.random.default_rng(1)),
            view(np.random.default_rng(1)),
            view(np.random.default_rng(2)),
        )
        assert one.shape == (160, 160, 3)
        assert one.dtype == np.uint8
        assert np.array_equal(one, again)
        assert not np.array_equal(one, other)


def test_without_augmentation_a_consumer_photo_is_seen_as_it_is_or_mirrored():
    photo = shop_photo()
    photo = np.concatenate([photo[:, :60] // 2, photo[:, 60:]], axis=1)  # not symmetric
    plain = np.asarray(Image.fromarray(photo).resize((160, 160), Image.Resampling.BILINEAR)).astype(int)
    for seed in range(4):
        view = consumer_view(photo, np.random.default_rng(seed), NOTHING)
        assert min(np.abs(view - plain).mean(), np.abs(view[:, ::-1] - plain).mean()) < 2


def test_without_augmentation_a_garment_lies_upright_on_white():
    garment, other = cut_out(shop_photo()), cut_out(shop_photo((30, 60, 190)))
    for seed in range(8):
        view = phone_view(garment, Backgrounds([shop_photo()]), [other], np.random.default_rng(seed), NOTHING)
        assert (view[[0, 0, -1, -1], [0, -1, 0, -1]] == 255).all()
        red = (view[..., 0].astype(int) - view[..., 2]) > 80
        assert red.any(axis=0).sum() == pytest.approx(160, abs=4) or red.any(axis=1).sum() == pytest.approx(160, abs=4)
        assert np.abs(red ^ red[:, ::-1]).mean() < 0.02, "a t-shirt that is not turned is symmetric"
        assert not ((view[..., 2].astype(int) - view[..., 0]) > 80).any(), "no other garment is in sight"


@pytest.mark.parametrize("name", [name for name in AUGMENTATIONS if name != "mixup"])
def test_each_augmentation_can_be_weakened_alone(name: str):
    garment, backgrounds = cut_out(shop_photo()), Backgrounds([shop_photo((70, 90, 120))])

    def view(strength: Augmentation) -> np.ndarray:
        return np.stack(
            [phone_view(garment, backgrounds, [garment], np.random.default_rng(seed), strength) for seed in range(12)]
        )

    full = view(Augmentation())
    assert np.array_equal(full, view(Augmentation(**{name: 1.0})))
    assert not np.array_equal(full, view(Augmentation(**{name: 0.0})))


@pytest.mark.parametrize("colour", [(190, 30, 40), (40, 70, 180), (30, 130, 60), (210, 180, 60)])
def test_the_camera_does_not_make_the_colour_lie(colour):
    """Lightness may change with the lamp; the hue of a saturated colour stays within a few degrees."""
    image = Image.new("RGB", (160, 160), colour)
    turns = []
    for seed in range(60):
        lab = np.median(to_lab(camera(image, np.random.default_rng(seed))).reshape(-1, 3), axis=0)
        hue, before = np.arctan2(lab[2], lab[1]), np.arctan2(*to_lab(np.array(colour, np.uint8))[[2, 1]])
        turns.append(abs(np.rad2deg((hue - before + np.pi) % (2 * np.pi) - np.pi)))
    assert np.percentile(turns, 90) < 20
    assert max(turns) < 40


def test_backgrounds_know_nothing_of_the_garments_colour():
    """Over many draws every hue occurs, though the only real photo is beige."""
    backgrounds = Backgrounds([np.full((80, 60, 3), (205, 185, 150), np.uint8)])
    rng = np.random.default_rng(0)
    means = np.array([np.asarray(backgrounds.draw(rng)).reshape(-1, 3).mean(axis=0) for _ in range(120)])
    assert {int(channel) for channel in means.argmax(axis=1)} == {0, 1, 2}
    assert means.std(axis=0).min() > 25


def test_without_photos_backgrounds_are_patterns():
    background = Backgrounds([]).draw(np.random.default_rng(0))
    assert background.size == (160, 160)
    assert background.mode == "RGB"


def test_the_measuring_phone_photo_shows_the_item_elsewhere():
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


def test_what_lies_beside_is_smaller_and_under_the_item():
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
