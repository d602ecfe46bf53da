"""The published index: generations of files, and the pointer that names the current one.

<index>/current.json                  the pointer: a manifest, see `manifest`
<index>/generations/<id>/             vectors.npy, keys.txt, sources.json.gz, manifest.json
<index>/models/<sha256>.tflite
<index>/checkpoints/                  of rebuilds that were interrupted
"""
