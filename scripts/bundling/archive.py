"""A zip file whose bytes depend on nothing but its content, and what it may weigh."""

from collections import Counter
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from scripts.bundling.target import BundleError

# Lambda takes 250 MB unpacked; a cold start reads less of a smaller one, and 50 MB zipped is the most that can be
# uploaded without a bucket.
MOST_UNPACKED, MOST_ZIPPED = 115_000_000, 40_000_000

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can state
_UNIX = 3
_READABLE_FILE = 0o100644 << 16
_BIGGEST_SHOWN = 12


def add_folder(tree: Path, file: Path) -> None:
    """Put a folder's files into a zip file, which is made if need be: in order, with one time and one permission."""
    with ZipFile(file, "a") as archive:
        for path in sorted(path for path in tree.rglob("*") if path.is_file()):  # a folder has an order of its own
            entry = ZipInfo(path.relative_to(tree).as_posix(), _EPOCH)
            entry.create_system, entry.external_attr, entry.compress_type = _UNIX, _READABLE_FILE, ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes(), compresslevel=9)


def check_budget(file: Path, most_unpacked: int = MOST_UNPACKED, most_zipped: int = MOST_ZIPPED) -> tuple[int, int]:
    """The bytes of a bundle, unpacked and zipped.

    Raises:
        BundleError: more than the budget; the message lists the biggest folders.
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
        f"the bundle has {unpacked / 1e6:.1f} MB unpacked and {zipped / 1e6:.1f} MB zipped; "
        f"at most {most_unpacked / 1e6:g} and {most_zipped / 1e6:g} are allowed. The biggest folders:\n{biggest}"
    )
