"""The index sees what a browser shows: `photo_pixels` against what Chromium draws."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from embeddings.preprocess import photo_pixels
from tests.icc import cmyk_profile, swapped_profile
from tests.photos import photo
from tests.test_file_repair import DAMAGED, TRANSPARENT, XMP_TURNED, with_chunks

pytestmark = pytest.mark.slow

# On white, as the page and the index lay transparent photos.
_DRAW = """async ([photo, type]) => {
  const image = new Image();
  image.src = `data:${type};base64,${photo}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0);
  const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
  return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ""));
}"""
_TYPES = {b"\xff\xd8": "image/jpeg", b"\x89P": "image/png", b"RI": "image/webp"}


def _saved(mode: str, format: str, **options: object) -> bytes:
    """Stripes of six colours, in any mode."""
    colours = ((200, 30, 30), (30, 200, 30), (30, 30, 200), (220, 200, 40), (40, 40, 40), (250, 250, 250))
    image = Image.new("RGB", (240, 160))
    for number, colour in enumerate(colours):
        image.paste(colour, (40 * number, 0, 40 * number + 40, 160))
    file = BytesIO()
    image.convert(mode).save(file, format, **options)
    return file.getvalue()


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


# Not among them: the EXIF orientation of a WebP file, which Chromium ignores and other browsers follow.
PHOTOS: dict[str, Callable[[], bytes]] = {
    **{f"orientation {each}": partial(photo, "red", exif=_exif(each)) for each in range(1, 9)},
    "orientation of a PNG": lambda: photo("red", format="PNG", exif=_exif(6)),
    "orientation in XMP": lambda: photo("red", xmp=XMP_TURNED),
    "orientation in the XMP of a WebP": lambda: photo("red", format="WEBP", xmp=XMP_TURNED),
    "JPEG without its last 2 bytes": lambda: photo("red")[:-2],
    "JPEG without its last 10 bytes": lambda: photo("red")[:-10],
    "display's profile, JPEG": lambda: _saved("RGB", "JPEG", quality=95, icc_profile=swapped_profile()),
    "display's profile, PNG": lambda: _saved("RGB", "PNG", icc_profile=swapped_profile()),
    "display's profile, WebP": lambda: _saved("RGB", "WEBP", quality=95, icc_profile=swapped_profile()),
    "printer's profile": lambda: _saved("CMYK", "JPEG", quality=95, icc_profile=cmyk_profile()),
    "no profile, CMYK": lambda: _saved("CMYK", "JPEG", quality=95),
    **{f"damaged {name}": partial(with_chunks, DAMAGED[name]) for name in DAMAGED},
    **{f"transparent {name}": TRANSPARENT[name] for name in TRANSPARENT},
}  # fmt: skip


@pytest.fixture(scope="module")
def canvas(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


@pytest.mark.parametrize("name", PHOTOS)
def test_the_index_sees_what_a_browser_shows(canvas: Page, name: str) -> None:
    content = PHOTOS[name]()
    drawn = canvas.evaluate(_DRAW, [b64encode(content).decode(), _TYPES[content[:2]]])
    with Image.open(BytesIO(b64decode(drawn))) as image:
        shown = image.convert("RGB").resize((160, 160), Image.Resampling.BOX)
    difference = np.abs(np.asarray(shown).astype(int) - photo_pixels(content))
    # A box filter along the other axis rounds otherwise, and so does another implementation of colour management.
    assert difference.mean() < 3, f"on average {difference.mean():.1f} levels apart"
