import numpy as np
import pytest

from embeddings.training.views.backgrounds import Backgrounds
from embeddings.training.views.cutouts import cut_out
from embeddings.training.views.street import as_small, cropped_view, worn_view
from tests.training.shapes import COLOURS, draw_garment

WHITE = (255, 255, 255)
SHIRT = np.asarray(draw_garment("Tshirts", COLOURS["Red"], WHITE))
PERSON = np.asarray(draw_garment("Tshirts", COLOURS["Blue"], WHITE))


def middle(view: np.ndarray) -> np.ndarray:
    edge = len(view) * 3 // 8
    return view[edge:-edge, edge:-edge].reshape(-1, 3).mean(axis=0)


@pytest.mark.parametrize("side", [96, 160])
def test_views_are_of_the_side_asked_for_and_follow_from_the_seed(side: int):
    for view in (
        lambda rng: cropped_view(SHIRT, rng, side=side),
        lambda rng: worn_view(cut_out(SHIRT), PERSON, Backgrounds([]), rng, side=side),
    ):
        one, same, other = (view(np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert one.shape == (side, side, 3)
        assert one.dtype == np.uint8
        assert np.array_equal(one, same)
        assert not np.array_equal(one, other)


def test_a_crop_shows_the_garment_in_its_middle():
    seen = [middle(cropped_view(SHIRT, np.random.default_rng(seed))) for seed in range(20)]
    assert sum(colour.argmax() == 0 for colour in seen) >= 18


def test_what_is_in_front_hides_the_persons_clothes():
    views = (worn_view(cut_out(SHIRT), PERSON, Backgrounds([]), np.random.default_rng(seed)) for seed in range(20))
    assert sum(middle(view).argmax() == 0 for view in views) >= 16


def test_a_large_photo_becomes_a_small_one():
    assert as_small(SHIRT, np.random.default_rng(0)).shape == (80, 60, 3)
