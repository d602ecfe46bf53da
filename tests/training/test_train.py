"""A whole run on drawn garments: it goes on after its checkpoint, keeps its best, and says what is wrong."""

from dataclasses import replace
from pathlib import Path

import pytest

from embeddings.errors import ModelError
from embeddings.training.config import Config, Mix
from embeddings.training.data.datasets import read_photos
from embeddings.training.data.photos import DatasetError, LabelledPhoto
from tests.training.conftest import TrainingRun
from tests.training.shapes import SPLIT

# Keras 3.15 saves weights through a numpy call that numpy 2.4 deprecates.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]


def test_a_run_resumes_after_its_checkpoint(finished_run: TrainingRun):
    assert [summary["steps"] for summary in finished_run.summaries] == [2, 4]


def test_a_run_does_not_resume_with_other_options(finished_run: TrainingRun, shapes: Path):
    from embeddings.training.train import train

    begun = (finished_run.folder / "config.json").read_text()
    with pytest.raises(ModelError, match=r"other options \(seed was 0, now 1\)"):
        train(shapes, finished_run.folder, replace(finished_run.config, seed=1), "train")
    assert (finished_run.folder / "config.json").read_text() == begun


def test_the_score_is_the_mean_of_the_figures(finished_run: TrainingRun):
    from embeddings.training.run_folder import read_log

    for row in read_log(finished_run.folder):
        figures = [
            value for name, value in row.items() if name not in ("step", "score") and not name.startswith("loss ")
        ]
        assert figures
        assert row["score"] == pytest.approx(sum(figures) / len(figures), abs=1e-3)


def test_too_few_photos_are_refused_before_the_folder_is_made(shapes: Path, tmp_path: Path):
    from embeddings.training.train import train

    with pytest.raises(DatasetError, match="less than one batch"):
        train(shapes, tmp_path / "run", Config("w", 1, 1, mix=Mix(pairs=5000)), "train")
    assert not (tmp_path / "run").exists()


def test_a_run_on_everything_trains_on_validation_and_test_too(shapes: Path, tmp_path: Path, monkeypatch):
    from embeddings.training.train import train

    seen: list[list[LabelledPhoto]] = []

    class OpenedError(Exception):
        pass

    def opened(_data: Path, training: list[LabelledPhoto], *_: object) -> None:
        seen.append(training)
        raise OpenedError

    monkeypatch.setattr("embeddings.training.train._batches", opened)
    for everything in (False, True):
        with pytest.raises(OpenedError):
            train(shapes, tmp_path / "run", Config("w", 1, 1, split=SPLIT, everything=everything), "train")
    photos = read_photos(shapes, SPLIT)
    assert {photo.file for photo in seen[0]} == {photo.file for photo in photos if photo.part == "train"}
    assert {photo.file for photo in seen[1]} == {photo.file for photo in photos}
