"""What the measurements share: options, inputs made once, the environment, the storage server."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from scripts.benchmarks.environment import INSTALLED, Environment, bundled
from scripts.benchmarks.inputs import encoded, photo_files, photographed, published

QUERY_SIZE = (400, 533)


@dataclass(frozen=True)
class Options:
    """What the user chose."""

    work: Path
    """Folder for what is made."""
    photos: Path | None
    """Real ones; None for drawn ones."""
    rows: int
    installed: bool
    """Measure what is installed here rather than the Lambda bundle."""
    quick: bool
    """Few repeats and small sizes: to see whether it runs, not how fast."""


class Bench:
    """Inputs are made when they are first asked for."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.work = options.work

    def repeats(self, full: int) -> int:
        """How often to measure."""
        return 2 if self.options.quick else full

    @cached_property
    def environment(self) -> Environment:
        """For what is deployed, and for its floors."""
        return INSTALLED if self.options.installed else bundled(self.work)

    @cached_property
    def index(self) -> Path:
        """The folder with the index of `rows` rows."""
        return published(self.options.rows, self.work)

    def photos(self, at_most: int) -> list[Path]:
        """Real or drawn ones."""
        return photo_files(self.options.photos, self.work, at_most)

    @cached_property
    def queries(self) -> list[Path]:
        """JPEG files of 400 x 533 pixels."""
        folder = self.work / "queries"
        folder.mkdir(exist_ok=True)
        files = []
        for number, photo in enumerate(self.photos(20)):
            file = folder / f"{number:02}.jpg"
            file.write_bytes(encoded(photographed(photo, QUERY_SIZE, number)))
            files.append(file)
        return files
