"""Backgrounds for garments: real places and patterns, in any colour."""

import numpy as np

from embeddings.training.views.backgrounds import Backgrounds


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
