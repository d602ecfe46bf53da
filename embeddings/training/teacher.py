"""Distillation: a run can learn to match the vectors of a teacher, which is a model file."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from embeddings.embedder import Embedder
from embeddings.training.data.photos import LabelledPhoto
from embeddings.training.evaluation.metrics import Vectors
from embeddings.training.evaluation.validation import encoded_photos


def teacher_vectors(model: Path, data: Path, photos: Sequence[LabelledPhoto], cache: Path) -> Vectors:
    """Return the teacher's unit vectors (n, d) of photos, from the cache if it has them.

    Args:
        model: a .tflite file.
        data: the folder of the photos.
        photos: the photos to train on.
        cache: a .npz file. It is used if it is of this teacher and these photos, and otherwise written: a photo takes
            16 ms.

    Raises:
        ModelError: the file is no embedding model.
        DatasetError: a photo is missing.
        PhotoError: a photo cannot be decoded.
    """
    embedder = Embedder(model)
    names = "\n".join([embedder.sha256, *(photo.file for photo in photos)])
    of = hashlib.sha256(names.encode()).hexdigest()
    vectors: NDArray[np.floating[Any]] | None = _read(cache, of)
    if vectors is None:
        encoded = tqdm(encoded_photos(data, photos), desc="teacher", unit="photo", disable=None, leave=False)
        vectors = np.concatenate([embedder.embed([photo]) for photo in encoded]).astype(np.float16)
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.savez(cache, of=np.array(of), vectors=vectors)
    units: Vectors = vectors.astype(np.float32)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    return units


def _read(cache: Path, of: str) -> NDArray[np.float16] | None:
    try:
        with cache.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            vectors: NDArray[np.float16] | None = arrays["vectors"] if str(arrays["of"]) == of else None
            return vectors
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None
