"""A query as bare library calls on local files: the floor that the handler is compared with."""

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image


class BareCalls:
    """Decode, embed and search with no guard, check, cache or HTTP."""

    def __init__(self, model: str) -> None:
        with open(model, "rb") as file:
            self._interpreter = Interpreter(model_content=file.read(), num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        # Outputs are in any order; their names number them, and the vector is the first.
        vector = min(self._interpreter.get_output_details(), key=lambda each: str(each["name"]))
        self._output = vector["index"]

    def load(self, matrix: str, keys: str) -> None:
        """Read a float32 matrix, which needs no conversion, and its keys."""
        self.matrix = np.load(matrix)
        with open(keys, encoding="utf-8") as file:
            self.keys = file.read().split("\n")

    def embed(self, photo: str) -> np.ndarray:
        """Decode, scale and embed a photo; return a vector (dimension,)."""
        with Image.open(photo) as image:
            small = image.convert("RGB").resize((160, 160), Image.Resampling.BOX)
        self._interpreter.set_tensor(self._input, np.asarray(small, dtype=np.float32)[np.newaxis])
        self._interpreter.invoke()
        vector: np.ndarray = self._interpreter.get_tensor(self._output)[0]
        return vector

    def search(self, vector: np.ndarray, k: int = 16) -> list[str]:
        """Multiply, select the k best and sort them; return their keys."""
        scores = self.matrix @ vector
        best = np.argpartition(scores, -k)[-k:]
        return [self.keys[row] for row in best[np.argsort(-scores[best])]]
