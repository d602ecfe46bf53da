"""What came of photos, as it is kept until it is published: the format of checkpoints and of shards' parts."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from embeddings.index.sources import Refusal

Vector = NDArray[np.float16]
Results = dict[str, tuple[str, Vector | Refusal]]
"""By key: the ETag of the content, and its vector (dimension,) or why there is none."""


def to_bytes(results: Results, about: Mapping[str, object] | None = None) -> bytes:
    """The content of an .npz file; `about` is whatever else its reader shall know, as JSON."""
    vectors = {key: (etag, result) for key, (etag, result) in results.items() if not isinstance(result, Refusal)}
    header = {
        "etags": {key: etag for key, (etag, _) in vectors.items()},
        "failures": {
            key: [etag, asdict(result)] for key, (etag, result) in results.items() if isinstance(result, Refusal)
        },
        "about": dict(about or {}),
    }
    file = BytesIO()
    rows = [vector for _, vector in vectors.values()]
    np.savez(
        file,
        header=np.frombuffer(json.dumps(header).encode(), dtype=np.uint8),
        vectors=np.stack(rows) if rows else np.empty((0, 0), dtype=np.float16),
    )
    return file.getvalue()


def from_bytes(data: bytes) -> tuple[Results, dict[str, object]]:
    """Read what `to_bytes` wrote.

    Raises:
        Exception: whatever damage leads numpy and zipfile to; the zip's own checksums find it.
    """
    with np.load(BytesIO(data), allow_pickle=False) as stored:
        header = json.loads(stored["header"].tobytes())
        vectors: Vector = stored["vectors"]
    if vectors.dtype != np.float16 or vectors.ndim != 2:
        raise ValueError(f"{vectors.dtype} {vectors.shape} are no packed vectors")
    results: Results = {
        key: (etag, vector) for (key, etag), vector in zip(header["etags"].items(), vectors, strict=True)
    }
    for key, (etag, refusal) in header["failures"].items():
        results[key] = (etag, Refusal(**refusal))
    return results, header.get("about", {})
