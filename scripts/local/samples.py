"""Photos as a visitor would take them: drawn garments, which no drawn gallery has, on cloth."""

from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageChops

from scripts.drawing.cloth import Rgb
from scripts.drawn_gallery import draw_gallery

_SEED = 9
_COUNT = 84
_LINEN, _SLATE, _ROSE = (214, 203, 186), (176, 186, 196), (226, 204, 200)
_SCENES: dict[str, tuple[Rgb, tuple[tuple[str, tuple[int, int], int], ...]]] = {
    "wardrobe": (_LINEN, (("dresses/pink-dotted-01", (20, 50), 600), ("bags/blue-plain-01", (420, 560), 480))),
    "shirt": (_SLATE, (("shirts", (120, 150), 660),)),
    "shoes": (_ROSE, (("shoes", (60, 190), 780),)),
}
"""By name: the cloth, and the garments with place and width. A folder alone stands for its first photo."""


def draw_samples(folder: Path) -> list[Path]:
    """Draw the photos as `<folder>/<name>.jpg`, unless they exist; return them."""
    files = [folder / f"{name}.jpg" for name in _SCENES]
    if not all(file.exists() for file in files):
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory() as garments:
            draw_gallery(Path(garments), _COUNT, _SEED)
            for file, (ground, places) in zip(files, _SCENES.values(), strict=True):
                scene = Image.new("RGB", (900, 1200), ground)
                for name, place, width in places:
                    drawn = Path(garments) / f"{name}.jpg"
                    _lay(drawn if drawn.exists() else min((Path(garments) / name).iterdir()), scene, place, width)
                scene.save(file, quality=88)
    return files


def _lay(file: Path, scene: Image.Image, place: tuple[int, int], width: int) -> None:
    with Image.open(file) as drawn:
        garment = drawn.resize((width, round(drawn.height * width / drawn.width)))
    garment = garment.point(lambda value: min(255, round(value * 1.04)))  # makes the background white
    cloth = scene.crop((*place, place[0] + garment.width, place[1] + garment.height))
    scene.paste(ImageChops.multiply(cloth, garment), place)
