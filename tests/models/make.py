"""Make the small models of this folder: `python tests/models/make.py` (needs tensorflow, which `make test` installs).

They average-pool a photo to 4 x 4 colours: 48 numbers, enough to tell colours and layouts apart.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf

HERE = Path(__file__).parent


def pooled(size: int = 160, scale: float = 1 / 255, cells: int = 4) -> tf.keras.Model:
    photo = tf.keras.Input((size, size, 3), batch_size=1)
    cells_ = tf.keras.layers.AveragePooling2D(size // cells)(photo)
    vector = tf.keras.layers.Flatten()(tf.keras.layers.Rescaling(scale, offset=-0.45 * 255 * scale)(cells_))
    return tf.keras.Model(photo, vector)


def with_attributes(heads: int = 1) -> tf.keras.Model:
    """The same, and one or several answers beside: how much of red, green and blue there is, as probabilities."""
    model = pooled()
    colours = tf.keras.layers.GlobalAveragePooling2D()(model.input)
    beside = [tf.keras.layers.Softmax()(tf.keras.layers.Rescaling(1 / 20)(colours)) for _ in range(heads)]
    return tf.keras.Model(model.input, [model.output, *beside])


def converter(model: tf.keras.Model) -> tf.lite.TFLiteConverter:
    return tf.lite.TFLiteConverter.from_keras_model(model)


def quantized(dtype: tf.DType, levels: tuple[int, ...] = (0, 64, 128, 192, 255)) -> bytes:
    """Quantize; the range of `levels`, with the noise on them, sets the scale and the zero point of the input."""
    random = np.random.default_rng(0)
    made = converter(pooled())
    made.optimizations = [tf.lite.Optimize.DEFAULT]
    made.representative_dataset = lambda: (
        [np.float32(np.full((1, 160, 160, 3), level)) + random.normal(0, 9, (1, 160, 160, 3)).astype(np.float32)]
        for level in levels
    )
    made.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    made.inference_input_type = made.inference_output_type = dtype
    return made.convert()


def main() -> None:
    models = {
        "float32": converter(pooled()).convert(),
        "float32-12d": converter(pooled(cells=2)).convert(),
        "uint8": quantized(tf.uint8),
        "int8": quantized(tf.int8),
        "int8-wide": quantized(tf.int8, levels=(-100, 0, 128, 255, 410)),
        "uint8-narrow": quantized(tf.uint8, levels=(100, 128, 156)),
        "nan": converter(pooled(scale=float("nan"))).convert(),
        "size-128": converter(pooled(size=128)).convert(),
        "attributes": converter(with_attributes()).convert(),
        "three-outputs": converter(with_attributes(heads=2)).convert(),
    }
    for name, content in models.items():
        (HERE / f"{name}.tflite").write_bytes(content)


if __name__ == "__main__":
    main()
