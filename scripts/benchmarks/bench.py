"""The options and inputs that all measurements share."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from scripts.benchmarks.child_environment import INSTALLED, Environment, bundled
from scripts.benchmarks.indexes import published_index
from scripts.benchmarks.photos import camera_photo, encoded, photo_files

QUERY_SIZE = (400, 533)


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    work: Path
    """Folder for everything that is made, reused by the next run."""
    photos: Path | None
    """Folder of real photos; None to draw some."""
    rows: int
    """Photos in the index."""
    installed: bool
    """Measure the packages installed here instead of the Lambda bundle."""
    quick: bool
    """Use small sizes and repeat nothing, to see that everything runs."""


class Bench:
    """Makes each input when a measurement first asks for it."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.work = options.work

    def repeats(self, full: int) -> int:
        """Return how often to measure: `full` times, or once in a quick run."""
        return 1 if self.options.quick else full

    @cached_property
    def environment(self) -> Environment:
        """The Python for the handler and its floors."""
        return INSTALLED if self.options.installed else bundled(self.work)

    @cached_property
    def index(self) -> Path:
        """Folder of the index with `rows` rows."""
        return published_index(self.options.rows, self.work)

    def photos(self, at_most: int) -> list[Path]:
        """List at most this many photos, real or drawn."""
        return photo_files(self.options.photos, self.work, at_most)

    @cached_property
    def queries(self) -> list[Path]:
        """Files to search with: JPEG, 400 x 533 pixels."""
        folder = self.work / "queries"
        folder.mkdir(exist_ok=True)
        files = []
        for number, photo in enumerate(self.photos(20)):
            file = folder / f"{number:02}.jpg"
            file.write_bytes(encoded(camera_photo(photo, QUERY_SIZE, number)))
            files.append(file)
        return files
