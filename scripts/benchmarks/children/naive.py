"""The function as one would first write it: boto3, one object after the other, a float32 matrix, nothing tuned.

Arguments: `runtime`, "keras" or "litert"; `bucket`, from whose folder `naive/` the files come; `folder`, where they go;
`photo`; with Keras also `passes`, how often the shipped graph runs a network. With `save_model` and `dimension`
instead, it writes the untrained Keras model that the bucket needs.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any


def search_with_litert(folder: Path, photo: str) -> list[str]:
    """Search with the small runtime; return the 16 best keys."""
    from scripts.benchmarks.bare_calls import BareCalls

    bare = BareCalls(str(folder / "model.tflite"))
    bare.load(str(folder / "matrix.npy"), str(folder / "keys.txt"))
    return bare.search(bare.embed(photo))


def search_with_keras(folder: Path, photo: str, passes: int) -> list[str]:
    """Search with a Keras model in TensorFlow, and sort all scores; return the 16 best keys."""
    import keras
    import numpy as np

    model = keras.models.load_model(folder / "model.keras")
    matrix = np.load(folder / "matrix.npy")
    keys = (folder / "keys.txt").read_text().split("\n")
    image = keras.utils.load_img(photo, target_size=(160, 160))
    for _ in range(passes):
        vector = model.predict(keras.utils.img_to_array(image)[np.newaxis], verbose=0)[0]
    scores = matrix @ vector
    return [keys[row] for row in np.argsort(-scores)[:16]]


def fetch(bucket: str, model: str, folder: Path) -> None:
    """Download the model, the matrix and the keys."""
    import boto3

    s3 = boto3.client("s3")
    for name in (model, "matrix.npy", "keys.txt"):
        s3.download_file(bucket, f"naive/{name}", str(folder / name))


def save_keras_model(dimension: int, file: str) -> None:
    """Write an untrained network of the shipped one's size: MobileNetV2 and a projection to `dimension` numbers."""
    import keras

    network = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(160, 160, 3), pooling="avg")
    pixels = keras.Input((160, 160, 3))
    features = network(keras.layers.Rescaling(1 / 127.5, -1.0)(pixels))
    unit = keras.layers.UnitNormalization()(keras.layers.Dense(dimension)(features))
    keras.Model(pixels, unit).save(file)


def main(given: dict[str, Any]) -> None:
    """Do what the arguments ask for."""
    if "save_model" in given:
        save_keras_model(given["dimension"], given["save_model"])
        print("{}")
        return
    folder = Path(given["folder"])
    if given["runtime"] == "litert":
        fetch(given["bucket"], "model.tflite", folder)
        found = search_with_litert(folder, given["photo"])
    else:
        fetch(given["bucket"], "model.keras", folder)
        found = search_with_keras(folder, given["photo"], given["passes"])
    print(json.dumps({"answered": time.monotonic(), "first": found[0]}))


main(json.loads(sys.argv[1]))
