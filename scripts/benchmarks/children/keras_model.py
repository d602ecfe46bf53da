"""Write a Keras model of the shipped one's kind and size, for the careless function; its answers do not matter."""

import json
import sys

import keras

given = json.loads(sys.argv[1])
backbone = keras.applications.MobileNetV2((160, 160, 3), include_top=False, weights=None, pooling="avg")
keras.Sequential([backbone, keras.layers.Dense(given["dimension"])]).save(given["file"])
print("{}")
