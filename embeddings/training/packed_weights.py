"""Saves a network's weights in a few MB: float16 arrays in one .npz file, by the name of their layer."""

from pathlib import Path
from zipfile import BadZipFile

import keras
import numpy as np
from keras import ops

from embeddings.errors import ModelError

SUFFIX = ".npz"


def save_packed(network: keras.Model, path: Path) -> None:
    """Write the network's weights and batch norm statistics as float16."""
    arrays = {_name(variable): ops.convert_to_numpy(variable.value).astype(np.float16) for variable in network.weights}
    np.savez_compressed(path, allow_pickle=False, **arrays)


def load_packed(network: keras.Model, path: Path) -> None:
    """Load the file of `save_packed` into a network with the same layers.

    Raises:
        ModelError: the file cannot be read, or belongs to another network.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            for variable in network.weights:
                variable.assign(arrays[_name(variable)].astype(np.float32))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise ModelError(f"cannot load {path} into {network.name}: {error}") from error


def _name(variable: keras.Variable) -> str:
    """Return layer and variable, such as "block_1_expand/kernel", without the names of enclosing networks."""
    return "/".join(variable.path.split("/")[-2:])
