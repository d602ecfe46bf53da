"""Publish an index that says of every object of a gallery that it is in it, with vectors made up."""

import json
import sys

import numpy as np

from embeddings.embedder import BUNDLED_MODEL, Embedder
from embeddings.index.publish import Content, Pointer, publish
from embeddings.index.sources import Sources
from embeddings.storage.writers import open_writer
from scripts.benchmarks.inputs import clustered

given = json.loads(sys.argv[1])
etags = {each.key: each.etag for each in open_writer(given["gallery"]).list()}
embedder = Embedder(BUNDLED_MODEL)
vectors = np.concatenate([each.astype(np.float16) for each in clustered(len(etags), embedder.dimension)])
content = Content(vectors, Sources(etags), embedder.content)
publish(open_writer(given["index"]), content, Pointer(None, None), with_model=True)
print(json.dumps({"count": len(etags)}))
