"""Write zip files with reproducible bytes, and check their size."""

from collections import Counter
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from scripts.bundling.target import BundleError

# Lambda allows 250 MB unpacked, and 50 MB zipped without a bucket. A smaller bundle starts faster.
MOST_UNPACKED, MOST_ZIPPED = 95_000_000, 33_000_000

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip file can hold
_UNIX = 3
_READABLE_FILE = 0o100644 << 16
_BIGGEST_SHOWN = 12


def add_folder(tree: Path, file: Path) -> None:
    """Add a folder's files to a zip file, sorted, all with the same time and permissions; create it if need be."""
    with ZipFile(file, "a") as archive:
        for path in sorted(path for path in tree.rglob("*") if path.is_file()):  # rglob has no fixed order
            entry = ZipInfo(path.relative_to(tree).as_posix(), _EPOCH)
            entry.create_system, entry.external_attr, entry.compress_type = _UNIX, _READABLE_FILE, ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes(), compresslevel=9)


def check_budget(file: Path, most_unpacked: int = MOST_UNPACKED, most_zipped: int = MOST_ZIPPED) -> tuple[int, int]:
    """Return the size of a bundle in bytes, unpacked and zipped.

    Raises:
        BundleError: the bundle exceeds its budget; the message lists the biggest folders.
    """
    with ZipFile(file) as archive:
        entries = archive.infolist()
    unpacked, zipped = sum(entry.file_size for entry in entries), file.stat().st_size
    if unpacked <= most_unpacked and zipped <= most_zipped:
        return unpacked, zipped
    folders: Counter[str] = Counter()
    for entry in entries:
        folders["/".join(entry.filename.split("/")[:-1][:2])] += entry.file_size
    biggest = "\n".join(f"{size / 1e6:8.1f} MB  {name}" for name, size in folders.most_common(_BIGGEST_SHOWN))
    raise BundleError(
        f"the bundle is too big: {unpacked / 1e6:.1f} MB unpacked and {zipped / 1e6:.1f} MB zipped, where at most "
        f"{most_unpacked / 1e6:g} and {most_zipped / 1e6:g} are allowed. The biggest folders:\n{biggest}"
    )
