"""A run's whole state in one file, so that it can be interrupted at any time."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from zipfile import BadZipFile

import keras
import numpy as np
from keras import ops

from embeddings.errors import ModelError


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Another path to write to, of the same ending: only what was written to its end takes the place of `path`."""
    unfinished = path.with_name(f"unfinished-{path.name}")
    yield unfinished
    os.replace(unfinished, path)


def save_checkpoint(path: Path, model: keras.Model, step: int, seconds: float) -> None:
    """Write weights, optimizer state, the step to go on with and the seconds spent; replaces the file at once."""
    arrays = {f"v{number}": ops.convert_to_numpy(variable.value) for number, variable in enumerate(_variables(model))}
    with replacing(path) as unfinished:
        np.savez(unfinished, step=step, seconds=seconds, **arrays)


def load_checkpoint(path: Path, model: keras.Model) -> tuple[int, float]:
    """Restore a compiled model of the same shape; returns the step to go on with and the seconds spent.

    Raises:
        ModelError: the file is damaged, or is of a run with other options.
    """
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


def _variables(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]
