"""The tricks against their formulas, and the table of what they move."""

import numpy as np
import pytest

from embeddings.preprocess import photo_pixels
from embeddings.training.ablation import ablation, gains_record, gains_table
from embeddings.training.data.photos import Photo
from embeddings.training.evaluation.tasks import searches
from embeddings.training.tricks import Whitening, averaged, expanded, mirrored, smoothed, towards_centroids, unit
from tests.training.shapes import draw_garment


def directions(*degrees: float) -> np.ndarray:
    angles = np.deg2rad(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def clouds(count: int, seed: int = 0) -> np.ndarray:
    """Unit vectors that vary a hundred times more along one axis than along another, about a common direction."""
    rng = np.random.default_rng(seed)
    return unit(rng.normal(size=(count, 4)) * (0.5, 0.05, 0.2, 0.1) + (0, 0, 0, 1))


def test_unit_vectors_have_length_one_and_nothing_stays_nothing():
    assert unit(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist() == pytest.approx(np.array([[0.6, 0.8], [0.0, 0.0]]))


def test_two_views_are_averaged_to_the_direction_between():
    assert averaged(directions(0, 10), directions(20, 50)) == pytest.approx(directions(10, 30), abs=1e-6)


def test_the_mirror_shows_the_model_the_same_pixels_the_other_way_round(tmp_path):
    image = draw_garment("Trousers", (40, 70, 180), (255, 255, 255), (300, 400))
    image.paste((200, 0, 0), (0, 0, 90, 400))
    image.save(tmp_path / "photo.jpg")
    photo = (tmp_path / "photo.jpg").read_bytes()
    assert np.array_equal(photo_pixels(mirrored(photo)), photo_pixels(photo)[:, ::-1])
    assert not np.array_equal(photo_pixels(mirrored(photo)), photo_pixels(photo))


def test_whitened_axes_have_the_same_variance_and_no_correlation():
    vectors = clouds(2000)
    whitening = Whitening.fit(vectors)
    projected = (vectors - whitening.mean) @ whitening.axes
    assert np.cov(projected, rowvar=False) == pytest.approx(np.eye(4), abs=1e-4)
    assert projected.mean(axis=0) == pytest.approx(0, abs=1e-4)
    assert whitening.apply(vectors) == pytest.approx(projected / np.linalg.norm(projected, axis=1)[:, None], abs=1e-5)


def test_whitening_drops_an_axis_on_which_nothing_varies():
    flat = np.concatenate([clouds(500), np.zeros((500, 2), np.float32)], axis=1)
    assert Whitening.fit(flat).apply(flat).shape == (500, 4)


def test_a_gallery_photo_is_averaged_with_its_nearest():
    gallery = directions(0, 10, 90, 100)
    expected = unit(np.stack([gallery[:2].sum(axis=0)] * 2 + [gallery[2:].sum(axis=0)] * 2))
    assert smoothed(gallery, 1) == pytest.approx(expected)
    assert smoothed(gallery, 9) == pytest.approx(unit(np.tile(gallery.sum(axis=0), (4, 1))))


def test_a_query_is_averaged_with_its_first_results():
    gallery = directions(0, 10, 90)
    query = directions(3)
    assert expanded(query, gallery, 2) == pytest.approx(unit(query + gallery[0] + gallery[1]))


def test_photos_move_half_way_to_the_mean_of_their_label():
    gallery = directions(0, 40, 90)
    moved = towards_centroids(gallery, np.array(["a", "a", ""]))
    assert moved == pytest.approx(directions(10, 30, 90), abs=1e-6)
    assert gallery == pytest.approx(directions(0, 40, 90))  # what was given stays as it was


def pool(count: int = 60) -> list[Photo]:
    kinds = ("shirt", "dress")
    return [
        Photo(
            str(row),
            "shop" if row % 3 else "consumer",
            kinds[row % 2],
            kinds[row % 2],
            "",
            "",
            str(row),
            str(row),
            "test",
        )
        for row in range(count)
    ]


def test_every_trick_is_tried_where_it_does_not_tell_the_answer():
    photos, vectors = pool(), clouds(60)
    asked = searches(photos, 60, np.array([], np.intp))
    assert [search.name for search in asked] == ["A", "D type"]
    gains = ablation(asked, photos, vectors, vectors, clouds(500, seed=1))
    assert {trick: set(figures) for trick, figures in gains.items()} == {
        "flip, gallery": {"A", "D type"},
        "flip, both sides": {"A", "D type"},
        "whitening": {"A", "D type"},
        "gallery averaged with 4": {"A"},
        "query expanded by 4": {"A"},
        "category centroids": {"A"},
    }
    # The mirror is no other view here, so that nothing moves.
    record = gains_record(gains)
    assert record["flip, both sides"]["A"] == {"gain": 0.0, "interval": [0.0, 0.0], "moved": False}
    before = asked[0].scores(asked[0].ask(vectors))["A"]
    centred = towards_centroids(vectors[asked[0].gallery], asked[0].labels)
    after = asked[0].scores(asked[0].find(vectors[asked[0].queries], centred))["A"]
    assert record["category centroids"]["A"]["gain"] == pytest.approx(after.mean() - before.mean(), abs=1e-4)


def test_whitening_is_left_out_where_there_is_too_little_to_fit_it_to():
    photos, vectors = pool(), clouds(60)
    asked = searches(photos, 60, np.array([], np.intp))
    assert "whitening" not in ablation(asked, photos, vectors, vectors, vectors[:0])
    assert "whitening" not in ablation(asked, photos, vectors, vectors, vectors[:4])


def test_the_table_stars_what_moved():
    moved = {"gain": 0.02, "interval": [0.01, 0.03], "moved": True}
    still = {"gain": -0.02, "interval": [-0.05, 0.01], "moved": False}
    lines = gains_table({"whitening": {"A": moved, "E": still}}).splitlines()
    assert lines[1].split() == ["whitening", "A", "+0.020", "[+0.010,", "+0.030]", "*"]
    assert lines[2].split() == ["whitening", "E", "-0.020", "[-0.050,", "+0.010]"]
