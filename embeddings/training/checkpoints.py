"""A run's whole state in one file, so that it can be interrupted at any time."""

import os
from pathlib import Path

import keras
import numpy as np
from keras import ops

from embeddings.errors import ModelError


def save_checkpoint(path: Path, model: keras.Model, step: int, seconds: float) -> None:
    """Write weights, optimizer state, the step to go on with and the seconds spent; replaces the file at once."""
    arrays = {f"v{number}": ops.convert_to_numpy(variable.value) for number, variable in enumerate(_variables(model))}
    unfinished = path.with_suffix(".tmp.npz")
    np.savez(unfinished, step=step, seconds=seconds, **arrays)
    os.replace(unfinished, path)


def load_checkpoint(path: Path, model: keras.Model) -> tuple[int, float]:
    """Restore a compiled model of the same shape; returns the step to go on with and the seconds spent.

    Raises:
        ModelError: the file is damaged, or is of a run with other options.
    """
    model.optimizer.build(model.trainable_variables)
    variables = _variables(model)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            state = [arrays[f"v{number}"] for number in range(len(variables))]
            if len(arrays.files) != len(variables) + 2 or any(
                value.shape != variable.shape for value, variable in zip(state, variables, strict=True)
            ):
                raise ModelError(f"{path} is of a run with other options; resume with that run's, or start a new one")
            step, seconds = int(arrays["step"]), float(arrays["seconds"])
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise ModelError(f"cannot resume from {path}: {error}") from error
    for variable, value in zip(variables, state, strict=True):
        variable.assign(value)
    return step, seconds


def _variables(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]
