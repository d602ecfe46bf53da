"""Drawn photos, and one small training for all tests here. Keras is imported when a test first needs it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from embeddings.training.config import BACKBONES, Config, Mix
from embeddings.training.evaluation.evaluation import Evaluation
from embeddings.training.views.batches import Batches
from tests.training.shapes import MIX, SPLIT, load_training_photos, write_classes, write_shapes


@dataclass(frozen=True)
class TrainingRun:
    """A run that ended after two steps and went on to four."""

    folder: Path
    config: Config
    summaries: tuple[dict[str, Any], dict[str, Any]]


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shapes(tmp_path_factory.mktemp("shapes") / "photos")


@pytest.fixture(scope="session")
def batches(shapes: Path) -> Batches:
    return Batches(load_training_photos(shapes, masked=True), MIX, seed=0)


@pytest.fixture(scope="session")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classes(tmp_path_factory.mktemp("classes"))


@pytest.fixture(scope="session")
def evaluation(shapes: Path) -> Evaluation:
    return Evaluation(shapes, SPLIT, "test", phone_photos=10)


@pytest.fixture(scope="session")
def tiny_backbone() -> Iterator[str]:
    """The name of a backbone beside those of keras.applications; MobileNetV2 takes a minute to compile and convert."""
    import keras

    from tests.training.networks import tiny_backbone

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.applications, "TinyNet", tiny_backbone, raising=False)
        patch.setitem(BACKBONES, "TinyNet", False)
        yield "TinyNet"


@pytest.fixture(scope="session")
def finished_run(shapes: Path, tiny_backbone: str, tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    from embeddings.training.train import train
    from tests.training.networks import FROZEN_THROUGH, write_backbone_weights

    folder = tmp_path_factory.mktemp("training")
    config = Config(
        str(write_backbone_weights(folder / "start.weights.h5")),
        steps=4,
        minutes=30,
        mix=Mix(pairs=6, consumer_pairs=2, singles=3),
        backbone=tiny_backbone,
        dimension=16,
        frozen_through=FROZEN_THROUGH,
        every=2,
    )
    run = folder / "run"
    command = "train --data /home/me/photos"
    first = train(shapes, run, replace(config, steps=2), command)
    return TrainingRun(run, config, (first, train(shapes, run, config, command)))
