"""Make small upright pictures of photos for people to look at; `embeddings.preprocess` makes what the model sees."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps
from tqdm import tqdm

from embeddings.errors import BrokenPhotoError, PhotoError, PhotoTooLargeError, StorageError
from embeddings.preprocess import DEFAULT_LIMITS
from embeddings.storage.reader import Reader

_FETCHERS = 16


@dataclass(frozen=True)
class Thumbnails:
    """Pictures by key, and for photos without one the reason."""

    pictures: dict[str, Image.Image]
    reasons: dict[str, str]

    def complaint(self) -> str:
        """Return a sentence about the missing pictures, or "" if none is missing."""
        if not self.reasons:
            return ""
        first = next(iter(self.reasons.values()))
        return f"{len(self.reasons)} of {len(self.pictures) + len(self.reasons)} photos could not be read: {first}"


def fetch_thumbnails(gallery: Reader, keys: Iterable[str], side: int) -> Thumbnails:
    """Read photos of a gallery in parallel, with a progress bar, and go on past those that cannot be read."""
    found = Thumbnails({}, {})

    def fetch(key: str) -> Image.Image:
        return thumbnail(gallery.get(key).data, side)

    with ThreadPoolExecutor(_FETCHERS) as pool:
        running = {pool.submit(fetch, key): key for key in dict.fromkeys(keys)}
        bar = tqdm(as_completed(running), total=len(running), desc="photos", unit="photo", disable=None, leave=False)
        try:
            for done in bar:
                try:
                    found.pictures[running[done]] = done.result()
                except (PhotoError, StorageError) as error:
                    found.reasons[running[done]] = str(error)
        finally:
            pool.shutdown(cancel_futures=True)
    return found


def thumbnail(photo: bytes, side: int) -> Image.Image:
    """Return the photo upright, on white where it is transparent, scaled to fit a square of `side` pixels.

    Raises:
        PhotoError: the photo cannot be read.
    """
    try:
        image = Image.open(BytesIO(photo), formats=("JPEG", "PNG", "WEBP"))
        if image.width * image.height > DEFAULT_LIMITS.max_pixels:
            raise PhotoTooLargeError(f"the photo has {image.width} x {image.height} pixels, more than allowed")
        image.draft("RGB", (2 * side, 2 * side))
        upright = ImageOps.exif_transpose(image).convert("RGBA")
    except PhotoError:
        raise
    except Exception as error:  # on damaged files Pillow's plugins raise all kinds of exceptions
        raise BrokenPhotoError(f"the photo is damaged, or not a JPEG, PNG or WebP file ({error})") from error
    upright.thumbnail((side, side))
    picture = Image.new("RGB", upright.size, "white")
    picture.paste(upright, mask=upright.getchannel("A"))
    return picture
