"""A training run: it takes steps, measures every few hundred of them, and keeps the best model."""

import json
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image
from tqdm import tqdm

from embeddings.errors import ModelError
from embeddings.training.config import Config
from embeddings.training.data.datasets import load_pixels, read_photos, select
from embeddings.training.data.photos import LabelledPhoto, Pixels, Split
from embeddings.training.evaluation.metrics import Vectors
from embeddings.training.evaluation.validation import Validation
from embeddings.training.model import build_embedder, embed_with
from embeddings.training.run_folder import (
    Row,
    check_options,
    load_best_into,
    load_checkpoint,
    read_log,
    save_best,
    save_checkpoint,
    write_classes,
    write_config,
    write_log,
    write_summary,
)
from embeddings.training.teacher import teacher_vectors
from embeddings.training.trainee import Trainee
from embeddings.training.views.batches import Batch, Batches
from embeddings.training.views.cutouts import cut_out, cut_out_by_mask, read_mask
from embeddings.training.views.items import LoadedPhoto

_WARM_UP = 0.03  # of the run
_WORKERS = 2
_TEACHER = "teacher.npz"
EVERYTHING = Split(validation=0.0, test=0.0)
"""The split of a run with `everything`: all photos train."""


def train(data: Path, folder: Path, config: Config, command: str) -> dict[str, Any]:
    """Start the training in `folder`, or resume it from its checkpoint.

    A run ends after `steps` or `minutes`, whichever comes first. The learning rate rises over the first 3 % of the run
    and then falls to 0 as a half cosine. Every `every` steps the run takes the validation figures and keeps the model
    if it is the best so far.

    Args:
        data: the folder of the labelled photos.
        folder: the run's folder.
        config: all options.
        command: the command line, for the record.

    Returns:
        The summary, as written to summary.json: steps, minutes, the best step and its figures.

    Raises:
        DatasetError, ModelError: the photos or the weights cannot be used, the folder holds a run with other options,
            or the loss is no longer a number.
    """
    record = json.loads(json.dumps({"command": command, "backend": keras.backend.backend(), **asdict(config)}))
    check_options(folder, record)
    keras.utils.set_random_seed(config.seed)
    photos = read_photos(data, config.split)
    training = training_photos(read_photos(data, EVERYTHING) if config.everything else photos)
    teacher = None
    if config.teacher:
        teacher = teacher_vectors(Path(config.teacher), data, training, folder / _TEACHER)
    batches = _batches(data, training, config, teacher)
    validation = Validation(data, photos, "validation", config.split.seed, side=config.side)
    trainee = Trainee(
        build_embedder(
            config.weights,
            config.dimension,
            config.frozen_through,
            config.backbone,
            config.side,
            config.bfloat16,
        ),
        batches.classes,
        batches.pairs,
        config.losses,
        batches.kinds_categories,
        None if teacher is None else gallery_of(training, teacher),
    )
    trainee.compile(
        optimizer=keras.optimizers.AdamW(config.learning_rate, config.weight_decay, global_clipnorm=10.0),
        jit_compile=keras.backend.backend() == "jax",  # XLA compiles for minutes on a CPU and gains nothing
    )
    if config.start:
        load_best_into(Path(config.start), trainee)
    write_config(folder, record)
    write_classes(folder, batches.classes)
    return _Training(folder, config, trainee, batches, validation).go()


def training_photos(photos: Sequence[LabelledPhoto]) -> list[LabelledPhoto]:
    """Return the photos that a run trains on: shop photos, then consumer photos."""
    return select(photos, "shop", "train") + select(photos, "consumer", "train")


def gallery_of(photos: Sequence[LabelledPhoto], vectors: Vectors) -> Vectors:
    """Return the vectors (m, d) of the large shop photos among photos (n), as a gallery holds them."""
    return vectors[[photo.domain == "shop" and not photo.small for photo in photos]]


def _batches(data: Path, training: Sequence[LabelledPhoto], config: Config, teacher: Vectors | None) -> Batches:
    masks = Path(config.masks) if config.masks else None
    pictures = [
        LoadedPhoto(photo, pixels, _garment(photo, pixels, masks))
        for photo, pixels in zip(training, load_pixels(data, training), strict=True)
    ]
    return Batches(pictures, config.mix, config.seed, config.augmentation, config.side, teacher)


def _garment(photo: LabelledPhoto, pixels: Pixels, masks: Path | None) -> Image.Image | None:
    if photo.domain == "shop":
        return cut_out(pixels)
    return None if masks is None else cut_out_by_mask(pixels, read_mask(masks, photo))


@dataclass
class _Training:
    folder: Path
    config: Config
    trainee: Trainee
    batches: Batches
    validation: Validation

    def go(self) -> dict[str, Any]:
        step, before = load_checkpoint(self.folder, self.trainee)
        rows = [row for row in read_log(self.folder) if row["step"] <= step]
        started = time.monotonic() - before

        def progress() -> float:
            return max(step / self.config.steps, (time.monotonic() - started) / (60 * self.config.minutes))

        stream = self.batches.stream(step, _WORKERS)
        with closing(stream), tqdm(total=self.config.steps, initial=step, unit="step", smoothing=0.02) as bar:
            while (done := progress()) < 1:
                losses = self._step(next(stream), done)
                step += 1
                bar.update()
                bar.set_postfix(loss=f"{losses['loss']:.2f}")
                if step % self.config.every == 0 or progress() >= 1:
                    rows.append(self._measure(step, losses, rows))
                    write_log(self.folder, rows)
                    save_checkpoint(self.folder, self.trainee, step, time.monotonic() - started)
        best = rows[-1] if self.config.everything else max(rows, key=lambda row: row["score"])
        summary = {"steps": step, "minutes": round((time.monotonic() - started) / 60, 1), "best": best}
        write_summary(self.folder, summary)
        return summary

    def _step(self, batch: Batch, progress: float) -> dict[str, float]:
        """Take one step; return the mean of each loss since the figures were last taken."""
        self.trainee.optimizer.learning_rate = self.config.learning_rate * _shape(progress)
        targets = {**batch.targets, "items": batch.items, "consumer": batch.consumer}
        losses = self.trainee.train_on_batch(batch.images, targets, return_dict=True)
        if not np.isfinite(losses["loss"]):
            raise ModelError(f"the loss is {losses['loss']}; repeat the command with a lower --learning-rate")
        return {name: float(value) for name, value in losses.items()}

    def _measure(self, step: int, losses: dict[str, float], rows: list[Row]) -> Row:
        """A row of the log; the embedder is kept if its score is the best so far, or if it has seen what it is measured
        by."""
        self.trainee.reset_metrics()
        figures = self.validation.figures(lambda pixels: embed_with(self.trainee.embedder, pixels))
        figures |= {"score": float(np.mean([*figures.values()]))}  # a run keeps its best
        if self.config.everything or not rows or figures["score"] > max(row["score"] for row in rows):
            save_best(self.folder, self.trainee)
        tqdm.write(f"step {step}: " + ", ".join(f"{name} {value:.3f}" for name, value in figures.items()))
        return {"step": step, **{f"loss {name}": value for name, value in losses.items()}, **figures}


def _shape(progress: float) -> float:
    """Return the share of the learning rate, 0-1, at a run's progress, 0-1."""
    if progress < _WARM_UP:
        return (progress + 1e-3) / (_WARM_UP + 1e-3)
    return 0.5 * (1 + float(np.cos(np.pi * (progress - _WARM_UP) / (1 - _WARM_UP))))
