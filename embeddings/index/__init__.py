"""The published index: generations of files, and the pointer that names the current one (docs/index-format.md).

<index>/current.json                  the pointer: the current generation's manifest
<index>/generations/<id>/             its vectors.npy, keys.txt, sources.json.gz
<index>/models/<sha256>.tflite        the model that made the vectors
"""
