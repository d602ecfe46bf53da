"""Photos without a table: a folder per class, or anyone's own gallery.

Every photo is an item of its own. Where all photos lie exactly one folder deep, in two folders or more, the folders'
names are their classes; else they have none.
"""

from pathlib import Path

from embeddings.training.data.photos import LabelledPhoto, Split

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def read(folder: Path, split: Split) -> list[LabelledPhoto]:
    """All photos below a folder, by name; hidden files and folders are left out. No photo, or no folder: no list."""
    files = sorted(
        path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()
    )
    files = [file for file in files if not any(name.startswith(".") for name in file.parts)]
    classes = {file.parent.name for file in files}
    labelled = len(classes) > 1 and all(len(file.parts) == 2 for file in files)
    return [_photo(file.as_posix(), file.parent.name if labelled else "", split) for file in files]


def _photo(file: str, word: str, split: Split) -> LabelledPhoto:
    return LabelledPhoto(file, "shop", word, word, "", "", "", item=file, part=split.part(f"shop/{file}"))
