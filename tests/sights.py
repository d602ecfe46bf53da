"""The sight of tests/models/attributes.tflite, which answers how much red, green and blue there is."""

from pathlib import Path

import numpy as np

from embeddings.sight import NO_PART, Attribute, Sight, with_sight

_MODEL = Path(__file__).parent / "models" / "attributes.tflite"

DIMENSION = 48
"""16 cells of red, green and blue."""


def _of(*places: int) -> np.ndarray:
    return np.array(places, np.uint16)


def _direction(red: float, green: float, blue: float) -> np.ndarray:
    return np.tile(np.array([red, green, blue], np.float32), DIMENSION // 3) / 4


COLOUR_SIGHT = Sight(
    (Attribute("colour", ("blue", "green", "red"), (0.7, 0.7, 0.7), _of(2, 1, 0)),),
    np.stack([_direction(0, 0, 1), _direction(0, 1, 0), _direction(1, 0, 0)]),
)
"""Sees the colour alone."""

SIGHT = Sight(
    (
        Attribute("kind", ("shirts",), (2.0,), _of(0, 0, 0)),
        Attribute("colour", ("blue", "green", "red"), (0.7, 0.7, 0.7), _of(2, 1, 0)),
        Attribute("words", ("check", "striped"), (0.9, 2.0), _of(NO_PART, NO_PART, 0)),
    ),
    np.stack(
        [
            _direction(0, 0, 0),
            _direction(0, 0, 1),
            _direction(0, 1, 0),
            _direction(1, 0, 0),
            _direction(1, -1, 0),
            _direction(1, -1, 0),
        ]
    ),
)
"""Takes no kind for certain, sees the colour, and takes what is very blue for checked."""


def write_seeing_model(folder: Path) -> Path:
    """Write the model with `SIGHT` into a folder; return the file."""
    path = folder / "seeing.tflite"
    path.write_bytes(with_sight(_MODEL.read_bytes(), SIGHT))
    return path
