"""Views of a garment as a phone or a shop shows it."""

from dataclasses import fields

import numpy as np
import pytest
from PIL import Image

from embeddings.training.config import Augmentation
from embeddings.training.views.augmentation import camera, consumer_view, phone_view, shop_view, studio_view
from embeddings.training.views.backgrounds import Backgrounds
from embeddings.training.views.colour import to_lab
from embeddings.training.views.cutouts import cut_out
from tests.training.shapes import draw_garment, shop_photo

AUGMENTATIONS = tuple(field.name for field in fields(Augmentation))
NOTHING = Augmentation(**dict.fromkeys(AUGMENTATIONS, 0.0))


def test_the_main_garment_stays_in_the_middle_of_clutter():
    main, other = cut_out(shop_photo((190, 30, 40))), cut_out(shop_photo((30, 60, 190)))
    seen = 0
    for seed in range(40):
        view = phone_view(main, Backgrounds([]), [other], np.random.default_rng(seed)).astype(int)
        centre = view[60:100, 60:100].reshape(-1, 3).mean(axis=0)
        seen += centre[0] > centre[2]
    assert seen >= 36


def test_views_have_the_models_size_and_depend_on_the_seed():
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


def test_without_augmentation_a_consumer_photo_is_only_mirrored():
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


@pytest.mark.parametrize("name", [name for name in AUGMENTATIONS if name not in ("mixup", "street", "small")])
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
def test_the_camera_keeps_the_hue(colour):
    """Lightness may change with the lamp; the hue of a saturated colour stays within a few degrees."""
    image = Image.new("RGB", (160, 160), colour)
    turns = []
    for seed in range(60):
        lab = np.median(to_lab(camera(image, np.random.default_rng(seed))).reshape(-1, 3), axis=0)
        hue, before = np.arctan2(lab[2], lab[1]), np.arctan2(*to_lab(np.array(colour, np.uint8))[[2, 1]])
        turns.append(abs(np.rad2deg((hue - before + np.pi) % (2 * np.pi) - np.pi)))
    assert np.percentile(turns, 90) < 20
    assert max(turns) < 40
