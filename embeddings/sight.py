"""What a model can tell of a photo, and where in its vectors that lies: a part at the end of a model file.

    the model | the sight, in the safetensors format | its length, 8 bytes, little-endian | SIGHT_MAGIC

TFLite ignores what follows a model, so the file runs everywhere as before, and one file with one checksum holds all
that an index needs. `embeddings.training.sight` makes the part.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from embeddings.model_card import SIGHT_MAGIC
from embeddings.products.safetensors import pack_arrays, unpack_arrays
from embeddings.products.seen import Seen

_LENGTH_BYTES = 8
_DIRECTIONS = "directions"
NO_PART = 0xFFFF
"""The place of an output that has no part in an attribute."""


@dataclass(frozen=True)
class Attribute:
    """One thing that a model tells of a photo."""

    name: str
    """One of the fields of `Seen`."""
    values: tuple[str, ...]
    """What it may be, in lower case."""
    thresholds: tuple[float, ...]
    """For each value the least probability that counts as sure."""
    of: NDArray[np.uint16]
    """For each number in the model's second output the place among `values` that it adds to, or `NO_PART`."""

    @property
    def several(self) -> bool:
        """Whether a photo may have several values; else it has the likeliest one."""
        return self.name == "words"

    def probabilities(self, outputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probability of each value, of the model's second output (n,)."""
        part = self.of != NO_PART
        return np.bincount(self.of[part], outputs[part], len(self.values)).astype(np.float32)

    def likeliest(self, outputs: NDArray[np.float32], most: int) -> list[tuple[str, float, bool]]:
        """Return the likeliest values, at most `most`, each with its probability and whether that is sure."""
        found = self.probabilities(outputs)
        return [
            (self.values[place], float(found[place]), bool(found[place] >= self.thresholds[place]))
            for place in np.argsort(-found, kind="stable")[:most].tolist()
        ]


@dataclass(frozen=True)
class Sight:
    """The attributes that a model tells, and a direction in its vectors for each of their values."""

    attributes: tuple[Attribute, ...]
    directions: NDArray[np.float32]
    """Unit rows (values of all attributes, dimension): where a value moves a vector, other things being equal."""

    @property
    def outputs(self) -> int:
        """How many numbers the model's second output has."""
        return len(self.attributes[0].of)

    @cached_property
    def places(self) -> Mapping[tuple[str, str], int]:
        """The row of `directions` of each attribute's values."""
        named = [(each.name, value) for each in self.attributes for value in each.values]
        return {name: row for row, name in enumerate(named)}

    def direction(self, attribute: str, values: Sequence[str]) -> NDArray[np.float32]:
        """Return the mean of some values' directions, (dimension,)."""
        mean: NDArray[np.float32] = self.directions[[self.places[attribute, value] for value in values]].mean(axis=0)
        return mean

    def seen(self, outputs: NDArray[np.float32]) -> Seen:
        """Return what the model's second output (n,) is sure of."""
        sure: dict[str, str | tuple[str, ...]] = {}
        for each in self.attributes:
            found = each.probabilities(outputs)
            if each.several:
                sure[each.name] = tuple(each.values[place] for place in np.flatnonzero(found >= each.thresholds))
            elif found[best := int(found.argmax())] >= each.thresholds[best]:
                sure[each.name] = each.values[best]
        return Seen(**sure)  # type: ignore[arg-type]


def with_sight(model: bytes, sight: Sight) -> bytes:
    """Return a model file that ends with this sight, in place of any that it had."""
    arrays = {f"{each.name}.of": each.of for each in sight.attributes}
    about = [{"name": each.name, "values": each.values, "thresholds": each.thresholds} for each in sight.attributes]
    packed = pack_arrays(
        {**arrays, _DIRECTIONS: sight.directions.astype(np.float16).ravel()},
        {"attributes": json.dumps(about, ensure_ascii=False)},
    )
    return without_sight(model) + packed + len(packed).to_bytes(_LENGTH_BYTES, "little") + SIGHT_MAGIC


def without_sight(model: bytes) -> bytes:
    """Return the model file without the sight at its end, if it has one."""
    start, _ = _place(model)
    return model[:start]


def read_sight(model: bytes) -> Sight | None:
    """Read the sight at the end of a model file; None if it has none.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is damaged.
    """
    start, end = _place(model)
    if start == len(model):
        return None
    arrays, metadata = unpack_arrays(model[start:end])
    attributes = tuple(
        Attribute(each["name"], tuple(each["values"]), tuple(each["thresholds"]), arrays[f"{each['name']}.of"])
        for each in json.loads(metadata["attributes"])
    )
    rows = sum(len(each.values) for each in attributes)
    directions = arrays[_DIRECTIONS].reshape(rows, -1).astype(np.float32)
    for each in attributes:
        if each.name not in Seen._fields or len(each.of) != len(attributes[0].of):
            raise ValueError(f"its attribute {each.name} does not fit")
        if not set(each.of.tolist()) <= {*range(len(each.values)), NO_PART}:
            raise ValueError(f"outputs of {each.name} name values that are not there")
    return Sight(attributes, directions)


def _place(model: bytes) -> tuple[int, int]:
    """Return where the sight begins and ends; twice the end of the file if there is none.

    Raises:
        ValueError: its length is wrong.
    """
    end = len(model) - _LENGTH_BYTES - len(SIGHT_MAGIC)
    if not model.endswith(SIGHT_MAGIC) or end < 0:
        return len(model), len(model)
    start = end - int.from_bytes(model[end : end + _LENGTH_BYTES], "little")
    if start <= 0:
        raise ValueError("the length of its sight is wrong")
    return start, end
