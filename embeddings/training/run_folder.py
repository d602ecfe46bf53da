"""A training run's folder: the files that a run writes, and how they are read again to go on, convert or evaluate.

config.json         every option, see `Config`
checkpoint.npz      the whole state, from which an interrupted run goes on
log.csv             one row for each time the figures were taken; curves.png shows it
best.weights.h5     the best embedder so far
heads.npz           the proxies trained with it
classes.json        the classes of each head, in the order of its proxies
summary.json        steps, minutes and best figures; a finished run has one
"""

import csv
import json
import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np
from keras import ops
from matplotlib.figure import Figure
from numpy.typing import NDArray

from embeddings.errors import ModelError
from embeddings.training.model import build_embedder
from embeddings.training.trainee import WORDS_BIASES, Trainee

Row = dict[str, float]
"""One row of the log."""

_CONFIG, _CHECKPOINT, _LOG, _CURVES = "config.json", "checkpoint.npz", "log.csv", "curves.png"
_BEST, _HEADS, _CLASSES, _SUMMARY = "best.weights.h5", "heads.npz", "classes.json", "summary.json"

_MAY_CHANGE = (
    "command",
    "backend",
    "weights",
    "start",
    "teacher",
    "masks",
    "steps",
    "minutes",
    "every",
    "learning_rate",
)
"""Options that may differ when a run is resumed: where files lie, and how long the run takes."""


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Yield another path with the same ending; the file written there replaces `path` if the block succeeds."""
    unfinished = path.with_name(f"unfinished-{path.name}")
    yield unfinished
    os.replace(unfinished, path)


def write_classes(run: Path, classes: Mapping[str, Sequence[str]]) -> None:
    """Write the classes of each head, in the order of its proxies."""
    _write_json(run / _CLASSES, dict(classes))


def read_classes(run: Path) -> dict[str, tuple[str, ...]]:
    """Read the classes of each head.

    Raises:
        ModelError: the folder holds none.
    """
    try:
        found = json.loads((run / _CLASSES).read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read {run / _CLASSES} ({error}); train the run again") from error
    return {head: tuple(words) for head, words in found.items()}


def check_options(run: Path, record: dict[str, Any]) -> None:
    """Check that a run which already has a checkpoint goes on with the options it began with.

    Another split would train on the photos that the run was measured with; another seed or loss would be recorded
    nowhere.

    Raises:
        ModelError: an option differs that must not.
    """
    if not (run / _CHECKPOINT).exists():
        return
    before = read_config(run)
    other = [name for name in record if name not in _MAY_CHANGE and record[name] != before.get(name)]
    if other:
        told = "; ".join(f"{name} was {before.get(name)}, now {record[name]}" for name in other)
        raise ModelError(f"{run} is of a run with other options ({told}); take those, or another folder")


def write_config(run: Path, record: dict[str, Any]) -> None:
    """Write the record of all options; create the folder if there is none."""
    run.mkdir(parents=True, exist_ok=True)
    _write_json(run / _CONFIG, record)


def read_config(run: Path) -> dict[str, Any]:
    """Read the record of all options.

    Raises:
        ModelError: the folder holds none.
    """
    try:
        return dict(json.loads((run / _CONFIG).read_bytes()))
    except (OSError, ValueError) as error:
        raise ModelError(f"{run} is not the folder of a training run ({error})") from error


def save_checkpoint(run: Path, model: keras.Model, step: int, seconds: float) -> None:
    """Write weights, optimizer state, the step to go on with and the seconds spent, all in one file."""
    arrays = {f"v{number}": ops.convert_to_numpy(variable.value) for number, variable in enumerate(_variables(model))}
    with replacing(run / _CHECKPOINT) as unfinished:
        np.savez(unfinished, step=step, seconds=seconds, **arrays)


def load_checkpoint(run: Path, model: keras.Model) -> tuple[int, float]:
    """Restore a compiled model of the same shape; return the step to go on with and the seconds spent.

    Returns 0 steps and 0 seconds, and leaves the model alone, if the run has no checkpoint yet.

    Raises:
        ModelError: the checkpoint is damaged, or is of a run with other options.
    """
    path = run / _CHECKPOINT
    if not path.exists():
        return 0, 0.0
    model.optimizer.build(model.trainable_variables)
    variables = _variables(model)
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            names = [f"v{number}" for number in range(len(variables))]
            state = [arrays[name] for name in names if name in arrays.files]
            step, seconds = int(arrays["step"]), float(arrays["seconds"])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise ModelError(f"cannot resume from {path}: {error}") from error
    if [value.shape for value in state] != [variable.shape for variable in variables]:
        raise ModelError(f"{path} is of a run with other options; resume with that run's, or start a new one")
    for variable, value in zip(variables, state, strict=True):
        variable.assign(value)
    return step, seconds


def read_log(run: Path) -> list[Row]:
    """Read the rows so far; a new run has none."""
    path = run / _LOG
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)]


def write_log(run: Path, rows: list[Row]) -> None:
    """Write all rows, which have the same columns, and draw losses (`loss ...`) and figures over steps."""
    with replacing(run / _LOG) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    for number, (title, losses) in enumerate((("losses", True), ("validation figures", False)), start=1):
        axes = figure.add_subplot(1, 2, number, title=title, xlabel="step")
        for name in rows[0]:
            if name != "step" and name.startswith("loss ") == losses:
                axes.plot([row["step"] for row in rows], [row[name] for row in rows], label=name, marker=".")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(run / _CURVES, dpi=110)


def save_best(run: Path, trainee: Trainee) -> None:
    """Keep the embedder and the proxies of its heads as the best so far."""
    with replacing(run / _BEST) as weights, replacing(run / _HEADS) as heads:
        trainee.embedder.save_weights(weights)
        np.savez(heads, allow_pickle=False, **trainee.proxies())


def load_embedder(run: Path) -> keras.Model:
    """Load the best embedder.

    Raises:
        ModelError: the folder holds no run, or one that was never measured.
    """
    config = read_config(run)
    # It takes 160 px, whatever the views were.
    model = build_embedder(None, int(config["dimension"]), "", config["backbone"])
    try:
        model.load_weights(run / _BEST)
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot load {run / _BEST} ({error}); has the run reached its first figures?") from error
    return model


def load_best_into(run: Path, trainee: Trainee) -> None:
    """Start a new run with the best embedder of another, and with its proxies for the classes that both have.

    Raises:
        ModelError: the folder holds no such run, or its network is another.
    """
    classes = read_classes(run)
    try:
        trainee.embedder.load_weights(run / _BEST)
        with np.load(run / _HEADS, allow_pickle=False) as heads:
            trainee.begin_with({head: heads[head] for head in heads.files}, classes)
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise ModelError(f"cannot start with the run in {run}: {error}") from error


def load_heads(run: Path) -> dict[str, NDArray[np.float32]]:
    """Load the best embedder's proxies (classes, d) of each head that the run was trained for.

    Raises:
        ModelError: the folder holds none.
    """
    trained = _trained_losses(run)
    try:
        with np.load(run / _HEADS, allow_pickle=False) as heads:
            return {
                head: proxies
                for head, proxies in heads.items()
                if head in trained or (head == WORDS_BIASES and "words" in trained)
            }
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise ModelError(f"cannot load {run / _HEADS} ({error}); train the run again") from error


def _trained_losses(run: Path) -> set[str]:
    """Return the losses that counted; a head whose loss did not is untrained. `implied` trains the head of `kind`."""
    losses = {loss for loss, importance in read_config(run)["losses"].items() if importance > 0}
    return losses | {"kind"} if "implied" in losses else losses


def write_summary(run: Path, summary: dict[str, Any]) -> None:
    """Write the steps, minutes and best figures of a finished run."""
    _write_json(run / _SUMMARY, summary)


def how_made(run: Path) -> dict[str, Any]:
    """Return options and summary for the model card, with paths cut to their last name.

    Raises:
        ModelError: the folder holds no finished run.
    """
    config = read_config(run)
    try:
        summary = json.loads((run / _SUMMARY).read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{run} holds no finished run ({error}); start scripts/train.py with it again") from error
    command = " ".join(Path(word).name if "/" in word else word for word in config.pop("command").split())
    return {
        **config,
        "weights": Path(config["weights"]).name,
        **{name: Path(config[name]).name for name in ("start", "teacher", "masks") if name in config},
        "command": command,
        **summary,
    }


def _variables(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
