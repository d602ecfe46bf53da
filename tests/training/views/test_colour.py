import numpy as np
import pytest

from embeddings.training.views.colour import PALETTE, central_lab, palette_shares, to_lab


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [  # colorimetry's usual examples, D65
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((119, 119, 119), (50.03, 0, 0)),
        ((8, 8, 8), (2.19, 0, 0)),  # the straight part of the curve
    ],
)
def test_lab_of_known_colours(rgb, lab):
    assert to_lab(np.array(rgb, np.uint8)) == pytest.approx(lab, abs=0.05)


def test_the_garments_colour_is_that_of_the_middle():
    photo = np.full((90, 60, 3), 255, np.uint8)
    photo[25:65, 15:45] = (200, 20, 20)
    photo[40, 30] = (0, 255, 0)  # a button
    assert central_lab(photo) == pytest.approx(to_lab(np.array([200, 20, 20], np.uint8)))


def test_palette_shares_name_the_colour_and_sum_to_one():
    names = list(PALETTE)
    for name, code in PALETTE.items():
        shares = palette_shares(to_lab(np.array(list(bytes.fromhex(code)), np.uint8)))
        assert names[int(shares.argmax())] == name
        assert shares.sum() == pytest.approx(1)


def test_a_colour_between_two_names_counts_for_both():
    grey, light = (to_lab(np.array(list(bytes.fromhex(PALETTE[name])), np.uint8)) for name in ("grey", "light grey"))
    shares = dict(zip(PALETTE, palette_shares((grey + light) / 2), strict=True))
    assert shares["grey"] == pytest.approx(shares["light grey"], rel=1e-3)
    assert shares["grey"] > 0.2
