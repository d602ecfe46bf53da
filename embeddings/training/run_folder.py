"""What a run's folder holds, for those who come after the training: convert and evaluate."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np
from numpy.typing import NDArray

from embeddings.errors import ModelError
from embeddings.training.data.datasets import Split
from embeddings.training.model import build_embedder
from embeddings.training.train import BEST, HEADS, read_config


def load_embedder(run: Path) -> keras.Model:
    """The best embedder of a run.

    Raises:
        ModelError: the folder holds no run, or one that was never measured.
    """
    config = read_config(run)
    model = build_embedder(None, int(config["dimension"]), "", config["backbone"])
    try:
        model.load_weights(run / BEST)
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot load {run / BEST} ({error}); has the run reached its first figures?") from error
    return model


def load_heads(run: Path) -> dict[str, NDArray[np.float32]]:
    """The proxies (classes, d) of each head the run was trained for, as they were when the embedder was best.

    Raises:
        ModelError: the folder holds none.
    """
    trained = trained_losses(run)
    try:
        with np.load(run / HEADS, allow_pickle=False) as heads:
            return {head: proxies for head, proxies in heads.items() if head in trained}
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise ModelError(f"cannot load {run / HEADS} ({error}); convert without --attributes, or train anew") from error


def trained_losses(run: Path) -> set[str]:
    """The losses that counted: what the others would have trained is chance. `implied` trains the head of the kind."""
    losses = {loss for loss, importance in read_config(run)["losses"].items() if importance > 0}
    return losses | {"kind"} if "implied" in losses else losses


def common_split(runs: Sequence[Path]) -> Split:
    """The split that all of these runs were trained with.

    Raises:
        ModelError: they were trained with different ones.
    """
    split, *others = (Split(**read_config(run)["split"]) for run in runs)
    if any(other != split for other in others):
        raise ModelError("the runs were trained on different splits: what one has not seen, another has learned")
    return split


def how_made(run: Path) -> dict[str, Any]:
    """For the card: options, command, steps, minutes, best validation figures. Paths are cut to their last name."""
    config = read_config(run)
    try:
        summary = json.loads((run / "summary.json").read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{run} holds no finished run ({error}); start scripts/train.py with it again") from error
    command = " ".join(Path(word).name if "/" in word else word for word in config.pop("command").split())
    return {
        **config,
        "weights": Path(config["weights"]).name,
        "masks": Path(config["masks"]).name,
        "command": command,
        **summary,
    }
