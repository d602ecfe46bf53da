"""Write one of the two trainings in the shipped model as Keras has it, untrained: for the careless function."""

import json
import sys

from embeddings.training.model import build_embedder, mirrored

given = json.loads(sys.argv[1])
mirrored(build_embedder(None, given["dimension"], "")).save(given["file"])
print("{}")
