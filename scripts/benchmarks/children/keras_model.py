"""Write one of the two trainings in the shipped model as Keras has it, untrained: for the careless function."""

import json
import sys

from embeddings.training.model import build_embedder, two_views

given = json.loads(sys.argv[1])
two_views(build_embedder(None, given["dimension"], "")).save(given["file"])
print("{}")
