"""Photos without a table: a folder per class, or anyone's own gallery.

Every photo is an item of its own. If all photos lie exactly one folder deep, in two or more folders, the folders' names
are their classes. Otherwise the photos have no class.
"""

from pathlib import Path

from embeddings.training.data.photos import LabelledPhoto, Split

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def read(folder: Path, split: Split) -> list[LabelledPhoto]:
    """Return all photos below a folder, sorted by path, without hidden files and folders.

    The list is empty if the folder holds no photo or does not exist.
    """
    files = sorted(
        path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()
    )
    files = [file for file in files if not any(name.startswith(".") for name in file.parts)]
    classes = {file.parent.name for file in files}
    labelled = len(classes) > 1 and all(len(file.parts) == 2 for file in files)
    return [_photo(file.as_posix(), file.parent.name if labelled else "", split) for file in files]


def _photo(file: str, word: str, split: Split) -> LabelledPhoto:
    return LabelledPhoto(file, "shop", word, word, "", "", "", item=file, part=split.part(f"shop/{file}"))
