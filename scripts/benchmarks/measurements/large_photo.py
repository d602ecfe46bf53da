"""Measure preprocessing of a 12-megapixel photo: how much faster than a full decode, and with which neighbours."""

import time
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embeddings.embedder import BUNDLED_MODEL, Embedder
from embeddings.preprocess import INPUT_SIZE, photo_pixels
from scripts.benchmarks.bench import Bench
from scripts.benchmarks.photos import camera_photo, encoded
from scripts.benchmarks.results import Result, paired

SIZE = (3000, 4000)
_GALLERY = 1500


def measure(bench: Bench) -> Result:
    """Decode and scale each photo both ways, and compare the neighbours that both find among the other photos."""
    result = Result(f"Photo of 12 megapixels, jpeg, {'drawn' if bench.options.photos is None else 'real'} and upscaled")
    embedder = Embedder(BUNDLED_MODEL)
    files = bench.photos(bench.repeats(_GALLERY) if not bench.options.quick else 100)
    count = min(bench.repeats(40), len(files) // 2)
    chosen = files[:: len(files) // count][:count]
    gallery = embedder.embed([file.read_bytes() for file in files if file not in set(chosen)])
    plain: list[float] = []
    ours: list[float] = []
    overlaps = []
    for number, file in enumerate(chosen):
        photo = encoded(camera_photo(file, SIZE, number))
        pixels = []
        for times, prepared in ((plain, _full_decode), (ours, photo_pixels)):
            began = time.perf_counter()
            pixels.append(prepared(photo))
            times.append(1000 * (time.perf_counter() - began))
        overlaps.append(_overlap(gallery, *(embedder.embed_pixels(each) for each in pixels)))
    whole = result.add("full decode and resize", "ms", plain)
    scaled = result.add("this project's preprocessing", "ms", ours)
    faster = result.add("ratio, photo by photo", "", paired(plain, ours))
    result.at_least("12 megapixels, decoding all / ours", faster, 2.5, ours=scaled, floor=whole)
    result.add(f"top 16 in common, of {len(gallery):,} photos", "", overlaps)
    result.at_least("the same: top 16 in common, mean", float(np.mean(overlaps)), 0.95)
    return result


def _full_decode(photo: bytes) -> NDArray[np.uint8]:
    with Image.open(BytesIO(photo)) as image:
        return np.asarray(image.convert("RGB").resize((INPUT_SIZE, INPUT_SIZE), Image.Resampling.BOX))


def _overlap(gallery: NDArray[np.float32], one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the share of the top 16 that two vectors have in common."""
    tops = [set(np.argsort(-(gallery @ vector))[:16].tolist()) for vector in (one, other)]
    return len(tops[0] & tops[1]) / len(tops[0])
