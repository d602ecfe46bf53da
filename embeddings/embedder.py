"""Embed photos as unit vectors, with a TFLite model that LiteRT runs, and tell what it sees in them if it says so."""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from embeddings.errors import ModelError
from embeddings.model_card import SIGHT_MAGIC, read_card
from embeddings.preprocess import DEFAULT_LIMITS, INPUT_SIZE, WHOLE_PHOTO, Box, Limits, photo_pixels

if TYPE_CHECKING:
    from embeddings.sight import Sight

BUNDLED_MODEL = Path(__file__).parent / "pretrained" / "garment.tflite"

_INPUT_SHAPE = (1, INPUT_SIZE, INPUT_SIZE, 3)
_DTYPES = (np.float32, np.uint8, np.int8)


class Embedder:
    """An embedding model, safe to use from several threads.

    Two threads cannot share a LiteRT interpreter, and a lock would make them wait. So each call takes a free
    interpreter, or opens another one if all are in use. The model's graph normalises the pixels itself, so nothing but
    the file is needed.
    """

    def __init__(self, model: str | Path | bytes) -> None:
        """Open a model file, or the content of one. If a card lies beside the file, the two must agree.

        Raises:
            ModelError: this is no TFLite model of the shape 1x160x160x3 -> one vector (and attributes), or the card
                or its sight disagrees.
        """
        if isinstance(model, bytes):
            name, content, card = "the model", model, None
        else:
            name = str(model)
            try:
                content = Path(model).read_bytes()
            except OSError as error:
                raise ModelError(f"cannot read the model {name}: {error.strerror}") from error
            card = read_card(Path(model), content)
        self.content = content
        interpreter = self._open(name)
        try:
            self._input, self._output, self._beside = _signature(interpreter, name)
        except ValueError as error:  # a name that is not text
            raise ModelError(f"{name} is damaged: {error}") from error
        self._free = [interpreter]
        self.dimension = int(self._output["shape"][1])
        """The length of its vectors."""
        if card is not None and card.get("dimension", self.dimension) != self.dimension:
            raise ModelError(f"the card of {name} says dimension {card['dimension']}, the model has {self.dimension}")
        self.sight = self._read_sight(name) if self.content.endswith(SIGHT_MAGIC) else None
        """What the model can tell of a photo; None where its file does not say."""

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the model file, computed on first use: a cold start has checked it, and must not pay twice."""
        return hashlib.sha256(self.content).hexdigest()

    def embed(
        self, photos: Sequence[bytes], *, box: Box = WHOLE_PHOTO, limits: Limits = DEFAULT_LIMITS
    ) -> NDArray[np.float32]:
        """Embed encoded photos (the content of JPEG, PNG or WebP files).

        Returns:
            float32 array (len(photos), dimension), each row of unit length.

        Raises:
            PhotoError: one of the photos cannot be read.
            ModelError: the model answered with NaN or zeros, which have no direction.
        """
        vectors = np.empty((len(photos), self.dimension), dtype=np.float32)
        for row, photo in enumerate(photos):
            vectors[row] = self.embed_pixels(photo_pixels(photo, box, limits))
        return vectors

    def describe(
        self, photo: bytes, *, box: Box = WHOLE_PHOTO, limits: Limits = DEFAULT_LIMITS
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Embed an encoded photo, and say what is in it. Returns as `describe_pixels`, raises as `embed`."""
        return self.describe_pixels(photo_pixels(photo, box, limits))

    def embed_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed one preprocessed photo: uint8 (160, 160, 3) -> float32 (dimension,) of unit length.

        There is no batch of photos here: on these models sixteen at once are hardly faster than one by one.
        """
        return self.describe_pixels(pixels)[0]

    def describe_pixels(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Embed one preprocessed photo, and say what is in it, in one run of the model.

        Returns:
            The vector, as `embed_pixels` gives it; and the model's second output, which `sight` reads, if it has one.
        """
        try:
            interpreter = self._free.pop()
        except IndexError:
            interpreter = self._open("the model")
        interpreter.set_tensor(self._input["index"], _quantized(pixels, self._input)[np.newaxis])
        interpreter.invoke()
        vector = _dequantized(interpreter.get_tensor(self._output["index"])[0], self._output)
        beside = None
        if self._beside is not None:
            beside = _dequantized(interpreter.get_tensor(self._beside["index"])[0], self._beside)
        self._free.append(interpreter)
        length = float(np.linalg.norm(vector))
        if not np.isfinite(length) or length == 0.0:
            raise ModelError("the model answered with NaN or zeros; it is damaged, or was converted without weights")
        return vector / np.float32(length), beside

    def _read_sight(self, name: str) -> "Sight | None":
        """Read the sight at the end of the file, and check that it fits the model's outputs."""
        from embeddings.sight import read_sight  # only here: a model without one need not wait for it

        try:
            sight = read_sight(self.content)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ModelError(f"what {name} can tell of a photo is damaged: {error!r}; convert it again") from error
        if sight is None:
            return None
        answered = 0 if self._beside is None else int(self._beside["shape"][1])
        if (sight.outputs, sight.directions.shape[1]) != (answered, self.dimension):
            raise ModelError(
                f"{name} ends with what another model can tell: it has {answered} attributes and {self.dimension} "
                f"numbers in a vector, not {sight.outputs} and {sight.directions.shape[1]}; convert it again"
            )
        return sight

    def _open(self, name: str) -> Any:
        try:
            interpreter = Interpreter(model_content=self.content, num_threads=1)
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{name} is not a TFLite model that LiteRT can run: {error}") from error
        return interpreter


def _signature(interpreter: Any, name: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any] | None]:
    """The tensors of the photo, the vector and the attributes, if there are any."""
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    if len(inputs) != 1 or tuple(inputs[0]["shape"]) != _INPUT_SHAPE:
        shapes = [tuple(map(int, each["shape"])) for each in inputs]
        raise ModelError(f"{name} takes {shapes}; an embedding model takes one image of {_INPUT_SHAPE}")
    if len(outputs) not in (1, 2) or any(len(each["shape"]) != 2 or each["shape"][0] != 1 for each in outputs):
        shapes = [tuple(map(int, each["shape"])) for each in outputs]
        raise ModelError(
            f"{name} answers {shapes}; an embedding model answers one vector (1, dimension), and perhaps attributes"
        )
    for each in (inputs[0], *outputs):
        if each["dtype"] not in _DTYPES:
            raise ModelError(f"{name} uses {each['dtype'].__name__} tensors; use float32, uint8 or int8 ones")
        if each["dtype"] != np.float32 and not each["quantization"][0] > 0:
            raise ModelError(
                f"{name} has {each['dtype'].__name__} tensors without a scale; convert it with quantization"
            )
    # The converter numbers outputs in their names ("...:0", "...:1"), and lists them in any order.
    vector, *attributes = sorted(outputs, key=lambda each: str(each["name"]))
    return inputs[0], vector, attributes[0] if attributes else None


def _quantized(pixels: NDArray[np.uint8], tensor: dict[str, Any]) -> NDArray[Any]:
    """Solve real = (quantized - zero_point) * scale, https://ai.google.dev/edge/litert/models/quantization_spec."""
    dtype = tensor["dtype"]
    if dtype == np.float32:
        return pixels.astype(np.float32)
    scale, zero_point = tensor["quantization"]
    bounds = np.iinfo(dtype)
    quantized: NDArray[Any] = np.clip(np.rint(pixels / scale) + zero_point, bounds.min, bounds.max).astype(dtype)
    return quantized


def _dequantized(values: NDArray[Any], tensor: dict[str, Any]) -> NDArray[np.float32]:
    if tensor["dtype"] == np.float32:
        return np.array(values, dtype=np.float32)
    scale, zero_point = tensor["quantization"]
    return (values.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)
