"""One training run in a folder: config.json, log.csv, curves.png, checkpoint.npz, best.weights.h5, heads.npz."""

import json
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from embeddings.errors import ModelError
from embeddings.training.checkpoints import load_checkpoint, replacing, save_checkpoint
from embeddings.training.config import Config
from embeddings.training.data.datasets import Photo, Pixels, load_pixels, read_photos, select
from embeddings.training.evaluation.metrics import Vectors
from embeddings.training.evaluation.validation import Validation
from embeddings.training.log import draw_curves, read_log, write_log
from embeddings.training.model import Trainee, build_embedder
from embeddings.training.views.batches import Batch, Batches
from embeddings.training.views.cutouts import cut_out, cut_out_by_mask, read_mask
from embeddings.training.views.items import Picture

BEST = "best.weights.h5"
"""Name of the best embedder's weights in a run's folder."""

HEADS = "heads.npz"
"""Name of the proxies that were trained with it, an array (classes, d) for each head."""

_CONFIG = "config.json"
_CHECKPOINT = "checkpoint.npz"
_MAY_CHANGE = ("command", "backend", "weights", "masks", "steps", "minutes", "every", "learning_rate")
"""What a run may go on with otherwise: where files lie, and how long it takes."""

_WARM_UP = 0.03  # of the run
_WORKERS = 2
_EMBED_AT_ONCE = 64


def train(data: Path, folder: Path, config: Config, command: str) -> dict[str, Any]:
    """Run, or go on with, the training in `folder`.

    The learning rate rises over the first 3 % of the run, then falls to 0 as a half cosine by its end: `steps` or
    `minutes`, whichever comes first. Every `every` steps the validation figures are taken; the best model is kept.

    Args:
        data: folder of the labelled photos.
        folder: the run's folder; a checkpoint in it is resumed.
        config: all options.
        command: what was typed, for the record.

    Returns:
        The summary that is also written to summary.json: steps, minutes, best step, its figures.

    Raises:
        DatasetError, ModelError: the photos or the weights cannot be used; the folder is of a run with other options;
            the loss is no number any more.
    """
    record = json.loads(json.dumps({"command": command, "backend": keras.backend.backend(), **asdict(config)}))
    if (folder / _CHECKPOINT).exists():
        _refuse_other_options(folder, record)
    keras.utils.set_random_seed(config.seed)
    batches, validation = _open(data, config)
    trainee = Trainee(
        build_embedder(config.weights, config.dimension, config.frozen_through, config.backbone),
        batches.classes,
        batches.pairs,
        config.losses,
        batches.kinds_categories,
    )
    trainee.compile(
        optimizer=keras.optimizers.AdamW(config.learning_rate, config.weight_decay, global_clipnorm=10.0),
        jit_compile=keras.backend.backend() == "jax",  # XLA compiles for minutes on a CPU and gains nothing
    )
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / _CONFIG) as unfinished:
        unfinished.write_text(json.dumps(record, indent=2) + "\n")
    return _Run(folder, config, trainee, batches, validation).go()


def embed_with(model: keras.Model, pixels: NDArray[np.uint8]) -> Vectors:
    """Unit vectors (n, d) of pixels (n, 160, 160, 3), as the model answers in use (batch norm at its averages)."""
    parts = [
        ops.convert_to_numpy(model.predict_on_batch(pixels[start : start + _EMBED_AT_ONCE]))
        for start in range(0, len(pixels), _EMBED_AT_ONCE)
    ]
    return np.concatenate(parts)


def read_config(run: Path) -> dict[str, Any]:
    """The record of all options.

    Raises:
        ModelError: the folder holds none.
    """
    try:
        return dict(json.loads((run / _CONFIG).read_bytes()))
    except (OSError, ValueError) as error:
        raise ModelError(f"{run} is not the folder of a training run ({error})") from error


def _refuse_other_options(folder: Path, record: dict[str, Any]) -> None:
    """Another split would train on what the run was measured by, another seed or loss be in the record of neither."""
    before = read_config(folder)
    other = [name for name in record if name not in _MAY_CHANGE and record[name] != before.get(name)]
    if other:
        told = "; ".join(f"{name} was {before.get(name)}, now {record[name]}" for name in other)
        raise ModelError(f"{folder} is of a run with other options ({told}); take those, or another folder")


def _open(data: Path, config: Config) -> tuple[Batches, Validation]:
    photos = read_photos(data, config.split)
    training = select(photos, "shop", "train") + select(photos, "consumer", "train")
    masks = Path(config.masks) if config.masks else None
    pictures = [
        Picture(photo, pixels, _garment(photo, pixels, masks))
        for photo, pixels in zip(training, load_pixels(data, training), strict=True)
    ]
    batches = Batches(pictures, config.mix, config.seed, config.augmentation)
    return batches, Validation(data, photos, "validation", config.split.seed)


def _garment(photo: Photo, pixels: Pixels, masks: Path | None) -> Image.Image | None:
    if photo.domain == "shop":
        return cut_out(pixels)
    return None if masks is None else cut_out_by_mask(pixels, read_mask(masks, photo))


@dataclass
class _Run:
    folder: Path
    config: Config
    trainee: Trainee
    batches: Batches
    validation: Validation

    def go(self) -> dict[str, Any]:
        checkpoint = self.folder / _CHECKPOINT
        step, before = load_checkpoint(checkpoint, self.trainee) if checkpoint.exists() else (0, 0.0)
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
                    draw_curves(rows, self.folder / "curves.png")
                    save_checkpoint(checkpoint, self.trainee, step, time.monotonic() - started)
        best = max(rows, key=lambda row: row["score"])
        summary = {"steps": step, "minutes": round((time.monotonic() - started) / 60, 1), "best": best}
        (self.folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
        return summary

    def _step(self, batch: Batch, progress: float) -> dict[str, float]:
        """One update; returns each loss as a mean since the last measuring."""
        self.trainee.optimizer.learning_rate = self.config.learning_rate * _shape(progress)
        targets = {**batch.targets, "items": batch.items, "consumer": batch.consumer}
        losses = self.trainee.train_on_batch(batch.images, targets, return_dict=True)
        if not np.isfinite(losses["loss"]):
            raise ModelError(f"the loss is {losses['loss']}; lower --learning-rate and go on from the last checkpoint")
        return {name: float(value) for name, value in losses.items()}

    def _measure(self, step: int, losses: dict[str, float], rows: list[dict[str, float]]) -> dict[str, float]:
        """A row of the log; the embedder is kept if its score is the best so far."""
        self.trainee.reset_metrics()
        figures = self.validation.figures(lambda pixels: embed_with(self.trainee.embedder, pixels))
        figures |= {"score": score(figures, self.config.losses)}
        if not rows or figures["score"] > max(row["score"] for row in rows):
            with replacing(self.folder / BEST) as weights, replacing(self.folder / HEADS) as heads:
                self.trainee.embedder.save_weights(weights)
                np.savez(heads, allow_pickle=False, **self.trainee.proxies())
        tqdm.write(f"step {step}: " + ", ".join(f"{name} {value:.3f}" for name, value in figures.items()))
        return {"step": step, **{f"loss {name}": value for name, value in losses.items()}, **figures}


def score(figures: Mapping[str, float], losses: Mapping[str, float]) -> float:
    """What a run keeps its best by: the mean of the figures, without those of items where items are not trained."""
    of_items = {name for name in figures if name.startswith(("C@", "item@"))}
    counted = figures.keys() - of_items if losses["items"] == 0 else figures.keys()
    return float(np.mean([figures[name] for name in counted or figures.keys()]))


def _shape(progress: float) -> float:
    """The learning rate's course, 0-1, over a run's progress, 0-1."""
    if progress < _WARM_UP:
        return (progress + 1e-3) / (_WARM_UP + 1e-3)
    return 0.5 * (1 + float(np.cos(np.pi * (progress - _WARM_UP) / (1 - _WARM_UP))))
