"""Arrays in one file, in the safetensors format: https://github.com/huggingface/safetensors#format

Reading it copies nothing: each array is a view of the file's bytes.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NAMES = {"F16": "<f2", "U8": "<u1", "U16": "<u2", "U32": "<u4", "I32": "<i4", "F64": "<f8"}
_DTYPES = {name: np.dtype(code) for name, code in _NAMES.items()}
_ALIGNMENT = 8


def pack_arrays(arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> bytes:
    """Pack one-dimensional arrays by name. Equal arrays give equal bytes."""
    names = {dtype: name for name, dtype in _DTYPES.items()}
    # Those of wide numbers first, so that each begins at a multiple of its numbers' size.
    ordered = sorted(arrays.items(), key=lambda each: (-each[1].itemsize, each[0]))
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    end = 0
    for name, array in ordered:
        start, end = end, end + array.nbytes
        header[name] = {"dtype": names[array.dtype], "shape": list(array.shape), "data_offsets": [start, end]}
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % _ALIGNMENT)
    return b"".join([len(encoded).to_bytes(8, "little"), encoded, *(array.tobytes() for _, array in ordered)])


def unpack_arrays(content: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return the arrays and the metadata of a file that `pack_arrays` wrote.

    Raises:
        ValueError, KeyError, TypeError, AttributeError, RecursionError: it is no such file.
    """
    start = 8 + int.from_bytes(content[:8], "little")
    if start > len(content):
        raise ValueError("it ends within its header")
    header = json.loads(content[8:start])
    metadata = header.pop("__metadata__")
    arrays = {name: _array(content, start, about) for name, about in header.items()}
    return arrays, {str(name): str(value) for name, value in metadata.items()}


def _array(content: bytes, start: int, about: dict[str, Any]) -> NDArray[Any]:
    dtype, (length,), (first, end) = _DTYPES[about["dtype"]], about["shape"], about["data_offsets"]
    if not 0 <= first <= end <= len(content) - start or end - first != length * dtype.itemsize:
        raise ValueError("an array lies outside of it")
    return np.frombuffer(content, dtype, length, start + first)
