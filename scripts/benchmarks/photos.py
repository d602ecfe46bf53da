"""Photos to measure with: real or drawn ones, and enlarged ones as a camera would take them."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from scripts.drawn_gallery import draw_gallery

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def photo_files(folder: Path | None, work: Path, at_most: int) -> list[Path]:
    """List photos from all parts of a folder, the same ones each time; draw them if there is no folder."""
    if folder is None:
        return draw_gallery(work / "drawn", min(at_most, 300))
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in PHOTO_SUFFIXES)
    if not files:
        raise OSError(0, f"no photo ({', '.join(PHOTO_SUFFIXES)})", str(folder))
    return files if len(files) <= at_most else [files[each * len(files) // at_most] for each in range(at_most)]


def camera_photo(file: Path, size: tuple[int, int], seed: int = 0) -> Image.Image:
    """Scale a photo to `size` (width, height) and add a sensor's noise, which an enlarged image lacks."""
    width, height = size
    with Image.open(file) as image:
        large = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    tile = np.random.default_rng(seed).normal(0, 4, (512, 512, 3)).astype(np.int16)
    noise = np.tile(tile, (-(-height // 512), -(-width // 512), 1))[:height, :width]
    return Image.fromarray(np.clip(np.asarray(large) + noise, 0, 255).astype(np.uint8))


def encoded(image: Image.Image, file_format: str = "JPEG", **options: int | bool) -> bytes:
    """Encode an image, as JPEG of quality 90 by default."""
    stream = BytesIO()
    image.save(stream, file_format, **({"quality": 90} | options if file_format == "JPEG" else options))
    return stream.getvalue()
