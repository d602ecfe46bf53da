"""Averages the networks of runs, weight by weight.

Runs of which one began with another lie in one valley of the loss, and their mean finds more than each of them
(Wortsman et al. 2022, "Model soups"; Izmailov et al. 2018 average one run at several times).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from embeddings.errors import ModelError
from embeddings.training.run_folder import load_embedder, load_heads, read_classes
from embeddings.training.trainee import WORDS_BIASES


class Network(NamedTuple):
    """What a conversion needs of a training."""

    embedder: keras.Model
    proxies: dict[str, NDArray[np.float32]]
    """See `Trainee.proxies`."""
    classes: dict[str, tuple[str, ...]]
    """The classes of each head."""


def mean_of_runs(runs: Sequence[Path]) -> Network:
    """Load the mean of runs. Heads and classes are those of the last; the runs that know a class share its proxy.

    Raises:
        ModelError: a folder holds no run, or a network is unlike the last one.
    """
    last = Network(load_embedder(runs[-1]), load_heads(runs[-1]), read_classes(runs[-1]))
    if len(runs) == 1:
        return last
    networks = [Network(load_embedder(run), load_heads(run), read_classes(run)) for run in runs[:-1]] + [last]
    for run, network in zip(runs, networks, strict=True):
        if _shapes(network.embedder) != _shapes(last.embedder):
            raise ModelError(f"the network of {run} has other layers than that of {runs[-1]}; leave it out of the mean")
    weights = zip(*(network.embedder.get_weights() for network in networks), strict=True)
    last.embedder.set_weights([np.mean(same, axis=0) for same in weights])
    return last._replace(proxies={head: _mean_proxies(head, networks) for head in last.proxies})


def _shapes(embedder: keras.Model) -> list[tuple[int, ...]]:
    return [weight.shape for weight in embedder.get_weights()]


def _mean_proxies(head: str, networks: Sequence[Network]) -> NDArray[np.float32]:
    """Average proxies class by class. The biases of words are one number a class."""
    named = "words" if head == WORDS_BIASES else head
    rows: dict[str, list[NDArray[np.float32]]] = {name: [] for name in networks[-1].classes[named]}
    for network in networks:
        if head in network.proxies:
            for name, row in zip(network.classes[named], network.proxies[head], strict=True):
                if name in rows:
                    rows[name].append(row)
    return np.stack([np.mean(known, axis=0) for known in rows.values()])
