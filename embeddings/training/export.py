"""Converts a trained Keras model to the file that is shipped, and compares it with Keras before writing it."""

import hashlib
import json
import time
import warnings
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from embeddings.embedder import Embedder
from embeddings.errors import ModelError
from embeddings.model_card import card_path
from embeddings.preprocess import INPUT_SIZE
from embeddings.sight import Sight
from embeddings.training.config import FileFormat
from embeddings.training.evaluation.metrics import Vectors, neighbours, overlap
from embeddings.training.float16_kernels import rounded_depthwise

MINIMUM_OVERLAP: dict[FileFormat, float] = {"fp32": 0.99, "fp16": 0.97, "dynamic": 0.85, "int8": 0.75}
"""The least share of the 16 nearest neighbours in common with Keras. Less means that something broke."""

_TIMED = 200


@dataclass(frozen=True)
class Parity:
    """How a converted file compares with the Keras model."""

    overlap: float
    """The share of the 16 nearest neighbours in common, searching with each photo among all others."""
    milliseconds: float
    """The median time from one photo's pixels to its vector, on one thread."""
    size: int
    """In bytes."""


def convert(model: keras.Model, file_format: FileFormat, examples: NDArray[np.uint8]) -> bytes:
    """Convert to TFLite. This needs TensorFlow even if another backend did the training.

    Args:
        model: from pixels (n, 160, 160, 3), 0-255, to unit vectors.
        file_format: the numbers in the file.
        examples: pixels (n, 160, 160, 3) of real photos, from which int8 takes its ranges.
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if file_format != "fp32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if file_format == "fp16":
        converter.target_spec.supported_types = [tf.float16]
    if file_format == "int8":
        converter.representative_dataset = lambda: ([example[None].astype(np.float32)] for example in examples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
    rounding = rounded_depthwise(model) if file_format == "fp16" else nullcontext()
    with (
        rounding,
        warnings.catch_warnings(),
        redirect_stdout(StringIO()),
    ):  # the converter prints each variable's address
        # Every int8 conversion warns so; the ranges come from the examples.
        warnings.filterwarnings("ignore", "Statistics for quantized inputs")
        content: bytes = converter.convert()
    return content


def check_parity(content: bytes, file_format: FileFormat, pixels: NDArray[np.uint8], expected: Vectors) -> Parity:
    """Run the file as the functions will, and compare its neighbours with those of Keras.

    The cosine to Keras's vectors would mislead: all vectors can move a little together, or lose just what tells items
    apart.

    Args:
        content: the converted file.
        file_format: decides the least overlap.
        pixels: (n, 160, 160, 3) of some hundred real photos or more; with fewer, chance decides.
        expected: Keras's vectors (n, d) of the same photos.

    Raises:
        ModelError: the file does not run, answers NaN, or has other neighbours.
    """
    embedder = Embedder(content)
    seconds = []
    vectors = np.empty((len(pixels), embedder.dimension), np.float32)
    for row, photo in enumerate(pixels):
        started = time.perf_counter()
        vectors[row] = embedder.embed_pixels(photo)
        seconds.append(time.perf_counter() - started)
    if vectors.shape != expected.shape or not np.isfinite(vectors).all():
        raise ModelError(
            f"the converted model answers {vectors.shape}, {expected.shape} is expected, or NaN; it is not written"
        )
    common = overlap(*(neighbours(each, each, without_self=True) for each in (vectors, expected)))
    if common < MINIMUM_OVERLAP[file_format]:
        raise ModelError(
            f"the {file_format} file shares {common:.3f} of its neighbours with Keras, "
            f"at least {MINIMUM_OVERLAP[file_format]} is required; it is not written"
        )
    return Parity(round(common, 4), round(float(np.median(seconds[-_TIMED:])) * 1000, 2), len(content))


def write_model(
    path: Path,
    content: bytes,
    file_format: FileFormat,
    parity: Parity,
    made: dict[str, Any],
    figures: dict[str, Any],
) -> dict[str, Any]:
    """Write the file and the card beside it; return the card.

    Args:
        path: ends in .tflite.
        content: the converted file, after `check_parity`, perhaps with a sight.
        file_format: the format it was converted to.
        parity: the result of `check_parity`.
        made: how the model was trained: data, steps, minutes, seed, command.
        figures: the figures of an evaluation; may be empty.
    """
    embedder = Embedder(content)
    card = {
        "name": path.stem,
        "sha256": hashlib.sha256(content).hexdigest(),
        "input": {
            "size": INPUT_SIZE,
            "channels": "RGB",
            "range": [0, 255],
            "dtype": "uint8" if file_format == "int8" else "float32",
        },
        "dimension": embedder.dimension,
        **({"attributes": _described(embedder.sight)} if embedder.sight else {}),
        "weights": file_format,
        "parity": asdict(parity),
        "licence": "MIT",
        "made": made,
        "figures": figures,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    write_card(path, card)
    return card


def _described(sight: Sight) -> dict[str, Any]:
    return {each.name: {"sure_from": dict(zip(each.values, each.thresholds, strict=True))} for each in sight.attributes}


def write_card(model: Path, card: dict[str, Any]) -> None:
    """Write the card beside its model."""
    card_path(model).write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def spread(items: Sequence[Any], count: int) -> list[Any]:
    """Return `count` of the items, spread evenly over their order."""
    return [items[index] for index in np.linspace(0, len(items) - 1, min(count, len(items))).astype(int)]
