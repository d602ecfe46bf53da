"""A box marks a part of the upright photo, however the pixels are stored."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from embeddings.preprocess import Box, checked_box, photo_pixels
from tests.photos import encoded_as_held, photo

ORIENTATIONS = range(1, 9)


def coloured_cells(size: tuple[int, int] = (300, 400)) -> Image.Image:
    """Draw 5 x 4 cells of different colours, so that a wrong part, turn or flip shows."""
    cells = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize(size, Image.Resampling.NEAREST)


def part_of(upright: Image.Image, box: Box) -> np.ndarray:
    """Return what the model must see of the box, by definition: the part of the upright photo, scaled."""
    left, top = box.x * upright.width, box.y * upright.height
    right, bottom = left + box.width * upright.width, top + box.height * upright.height
    return np.asarray(upright.resize((160, 160), Image.Resampling.BOX, box=(left, top, right, bottom)))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(
    ("format", "size", "tolerance"),
    [
        pytest.param("PNG", (300, 400), 1, id="png"),
        pytest.param("JPEG", (300, 400), 9, id="jpeg"),
        pytest.param("JPEG", (2000, 3000), 9, id="jpeg that is decoded at half its size"),
    ],
)
def test_a_box_is_a_part_of_the_upright_photo(
    format: str, size: tuple[int, int], tolerance: int, orientation: int
) -> None:
    upright = coloured_cells(size)
    box = Box(0.2, 0.5, 0.4, 0.25)  # whole cells, since JPEG blurs where two meet
    options = {"quality": 95, "subsampling": 0} if format == "JPEG" else {}
    seen = photo_pixels(encoded_as_held(upright, orientation, format, **options), box)
    difference = np.abs(seen.astype(int) - part_of(upright, box))
    assert np.percentile(difference, 95) <= tolerance


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_box_may_overshoot_by_a_rounding_error(orientation: int) -> None:
    """Of a box drawn to the edge, fractions that were rounded up add up to a little more than 1."""
    content = encoded_as_held(coloured_cells(), orientation, "PNG")
    overshooting = checked_box((0.4, 0.5, 0.600001, 0.500001))
    np.testing.assert_array_equal(photo_pixels(content, overshooting), photo_pixels(content, Box(0.4, 0.5, 0.6, 0.5)))


def test_a_box_outside_the_photo_is_a_value_error() -> None:
    for box in (
        *(Box(0, 0, 0, 1), Box(0, 0, 1, 0), Box(-0.1, 0, 1, 1), Box(0, -0.1, 1, 1), Box(1, 0, 1, 1), Box(0, 1, 1, 1)),
        *(Box(float("nan"), 0, 1, 1), Box(0, 0, 1, float("nan"))),
    ):
        with pytest.raises(ValueError, match="not a part of a photo"):
            photo_pixels(photo("red"), box)


@pytest.mark.parametrize("parts", [(0, 0, 1, 1), (0.99, 0.99, 0.01, 0.01), (0.5, 0, 0.5, 0.01), (0, 0, 0.01, 1)])
def test_a_checked_box_lies_in_the_photo(parts: tuple[float, ...]) -> None:
    assert checked_box(parts) == parts


@pytest.mark.parametrize(
    "parts",
    [
        *((-0.1, 0, 1, 1), (0, -0.1, 1, 1), (0.5, 0, 0.51, 1), (0, 0.5, 1, 0.51), (0, 0, 1.000002, 1)),
        *((0, 0, 0.009, 1), (0, 0, 1, 0.009), (0, 0, 1), (0, 0, 1, 1, 1), (0, 0, 1, float("nan"))),
    ],
)
def test_a_box_that_leaves_the_photo_or_is_too_small_is_refused(parts: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"not a box|unpack"):
        checked_box(parts)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["JPEG", "PNG", "WEBP"]),
    st.integers(1, 400),
    st.integers(1, 400),
    st.tuples(st.floats(0, 0.9), st.floats(0, 0.9)),
)
def test_any_size_and_any_box_give_the_model_its_input(
    format: str, width: int, height: int, corner: tuple[float, float]
) -> None:
    content = photo("navy", (width, height), format)
    box = Box(*corner, 1 - corner[0], 1 - corner[1])
    assert photo_pixels(content, box).shape == (160, 160, 3)
