"""The figures that steer a run, from whatever the validation part can be asked."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from embeddings.training.data.datasets import read_photos
from embeddings.training.data.photos import DatasetError
from embeddings.training.evaluation.validation import Validation
from tests.training.deepfashion_fixture import write_in_shop
from tests.training.shapes import SPLIT


def every_sixteenth(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A vector (n, 300) of a few pixels."""
    return (pixels[:, ::16, ::16].reshape(len(pixels), -1) / 1e4).astype(np.float32)


def test_an_unlabelled_gallery_is_searched_for_its_items(classes: Path, tmp_path: Path):
    for file in classes.rglob("*.png"):
        shutil.copy(file, tmp_path)
    validation = Validation(tmp_path, read_photos(tmp_path, SPLIT), "validation", seed=0)
    figures = validation.figures(every_sixteenth)
    assert set(figures) == {"C@1", "C@16"}


def test_only_tasks_with_queries_steer_a_run(tmp_path: Path):
    write_in_shop(tmp_path)
    photos = read_photos(tmp_path, SPLIT)
    figures = Validation(tmp_path, photos, "validation", seed=0).figures(every_sixteenth)
    assert {"C@1", "D type", "item@1"} <= set(figures)
    with pytest.raises(DatasetError, match="validation part has no shop photos"):
        Validation(tmp_path, [photo for photo in photos if photo.part == "test"], "validation", seed=0)
