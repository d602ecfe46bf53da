"""What is measured with: photos, real or drawn, and indexes of as many rows as wanted."""

import json
import shutil
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from embeddings.embedder import BUNDLED_MODEL, Embedder
from embeddings.index.publish import Content, Pointer, publish
from embeddings.index.sources import Sources
from embeddings.storage.writers import open_writer
from scripts.drawn_gallery import draw_gallery

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_BLOCK = 50_000


def photo_files(folder: Path | None, work: Path, at_most: int) -> list[Path]:
    """Photos of a folder, the same ones each time and of all its parts; drawn ones if there is no folder."""
    if folder is None:
        return draw_gallery(work / "drawn", min(at_most, 300))
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in PHOTO_SUFFIXES)
    if not files:
        raise OSError(0, f"no photo ({', '.join(PHOTO_SUFFIXES)})", str(folder))
    return files if len(files) <= at_most else [files[each * len(files) // at_most] for each in range(at_most)]


def photographed(file: Path, size: tuple[int, int], seed: int = 0) -> Image.Image:
    """A photo brought to `size` (width, height), with a sensor's noise, as no upscaled image has by itself."""
    width, height = size
    with Image.open(file) as image:
        large = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    tile = np.random.default_rng(seed).normal(0, 4, (512, 512, 3)).astype(np.int16)
    noise = np.tile(tile, (-(-height // 512), -(-width // 512), 1))[:height, :width]
    return Image.fromarray(np.clip(np.asarray(large) + noise, 0, 255).astype(np.uint8))


def encoded(image: Image.Image, kind: str = "JPEG", **options: int | bool) -> bytes:
    """A file's content, JPEG of quality 90 unless told."""
    stream = BytesIO()
    image.save(stream, kind, **({"quality": 90} | options if kind == "JPEG" else options))
    return stream.getvalue()


def clustered(rows: int, dimension: int, seed: int = 0) -> Iterator[NDArray[np.float32]]:
    """Blocks of unit vectors around 500 centres, as those of garments lie around kinds of garment."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((500, dimension), np.float32)
    for start in range(0, rows, _BLOCK):
        block = centres[rng.integers(500, size=min(_BLOCK, rows - start))]
        block += rng.standard_normal(block.shape, np.float32)
        yield block / np.linalg.norm(block, axis=1, keepdims=True)


def published(rows: int, work: Path) -> Path:
    """A folder with an index of `rows` clustered vectors and the shipped model; made once for each model."""
    index = work / f"index-{rows}"
    pointer = index / "current.json"
    embedder = Embedder(BUNDLED_MODEL)
    if pointer.exists() and json.loads(pointer.read_bytes())["model"]["sha256"] != embedder.sha256:
        shutil.rmtree(index)  # the handler takes the index's own model, so the one before would be measured
    if not pointer.exists():
        etags = {key: str(number) for number, key in enumerate(gallery_keys(rows))}
        vectors = np.concatenate([each.astype(np.float16) for each in clustered(rows, embedder.dimension)])
        content = Content(vectors, Sources(etags), embedder.content)
        publish(open_writer(str(index)), content, Pointer(None, None), with_model=True)
    return index


def gallery_keys(rows: int) -> Sequence[str]:
    """Keys as long as usual."""
    return [f"garments/photo-{number:08}.jpg" for number in range(rows)]
