"""Small upright pictures of encoded photos, to be looked at; what the model sees is `embeddings.preprocess`."""

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
    """Pictures by key; where there is none, the reason."""

    pictures: dict[str, Image.Image]
    reasons: dict[str, str]

    def complaint(self) -> str:
        """What to tell a person about the missing ones; "" where none is missing."""
        if not self.reasons:
            return ""
        first = next(iter(self.reasons.values()))
        return f"{len(self.reasons)} of {len(self.pictures) + len(self.reasons)} photos could not be read: {first}"


def fetch_thumbnails(gallery: Reader, keys: Iterable[str], side: int) -> Thumbnails:
    """Read photos of the gallery, many at once, with a progress bar; a photo that cannot be read stops no other."""
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
    """The photo upright, on white where it is transparent, scaled to fit a square of `side` pixels.

    Raises:
        PhotoError: it cannot be read.
    """
    try:
        image = Image.open(BytesIO(photo), formats=("JPEG", "PNG", "WEBP"))
        if image.width * image.height > DEFAULT_LIMITS.max_pixels:
            raise PhotoTooLargeError(f"the photo has {image.width} x {image.height} pixels")
        image.draft("RGB", (2 * side, 2 * side))
        upright = ImageOps.exif_transpose(image).convert("RGBA")
    except PhotoError:
        raise
    except Exception as error:  # Pillow's plugins raise whatever damage leads them to
        raise BrokenPhotoError(f"the image is damaged, or no JPEG, PNG or WebP ({error})") from error
    upright.thumbnail((side, side))
    picture = Image.new("RGB", upright.size, "white")
    picture.paste(upright, mask=upright.getchannel("A"))
    return picture
