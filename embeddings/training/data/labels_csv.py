"""Photos with a table of labels, labels.csv: two domains, each with a vocabulary of its own (see `categories`).

Consumer photos are split by sender, because photos of one sender share a room, a camera and a style. Shop photos are
split by item, and each item has one photo.
"""

import csv
from dataclasses import replace
from pathlib import Path

from embeddings.training.data.categories import DOMAINS, joint_category
from embeddings.training.data.leaks import without_leaks
from embeddings.training.data.photos import DatasetError, LabelledPhoto, Split

TABLE = "labels.csv"

_COLUMNS = ("file", "domain", "category", "gender", "colour", "sender")
_UNKNOWN = "unknown"  # a sender whom the source cannot name
_SMALL = {"": False, "yes": True}


def read(folder: Path, split: Split) -> list[LabelledPhoto]:
    """Read `labels.csv` in the order of its rows.

    The table has the columns file, domain, category, gender, colour and sender, and may have title, usage and small
    ("yes" for 60 x 80 px). A consumer photo may lack a category. Small photos and consumer photos without a category
    are in the training part, except those that `without_leaks` leaves out.

    Raises:
        DatasetError: a column is missing, a word is unknown, a labelled photo has no sender to be split by, or the
            file is not a table.
    """
    path = folder / TABLE
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, restval="")
            missing = set(_COLUMNS) - set(reader.fieldnames or ())
            if missing:
                raise DatasetError(f"{path} lacks the columns {', '.join(sorted(missing))}")
            return without_leaks([_photo(row, split, f"{path}:{reader.line_num}") for row in reader])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"cannot read {path} ({error}); it must be a table in UTF-8, with commas") from error


def _photo(row: dict[str, str], split: Split, place: str) -> LabelledPhoto:
    domain = next((known for known in DOMAINS if known == row["domain"]), None)
    if domain is None:
        raise DatasetError(f"{place}: domain {row['domain']!r} is none of {', '.join(DOMAINS)}")
    if not row["file"]:
        raise DatasetError(f"{place}: a photo without a file; name its path below the folder")
    small = _SMALL.get(row.get("small", ""))
    if small is None:
        raise DatasetError(f"{place}: small is {row['small']!r}; write yes or leave it empty")
    unlabelled = domain == "consumer" and not row["category"]
    try:
        category = "" if unlabelled else joint_category(domain, row["category"])
    except KeyError as error:
        raise DatasetError(f"{place}: {error.args[0]}") from error
    photo = LabelledPhoto(
        file=row["file"],
        domain=domain,
        category=category,
        type=row["category"],
        gender=row["gender"],
        colour=row["colour"],
        sender="" if row["sender"] == _UNKNOWN else row["sender"],
        item=row["file"],
        part="train",
        title=row.get("title", ""),
        usage=row.get("usage", ""),
        small=small,
    )
    if photo.training_only:
        return photo
    unit = photo.sender if domain == "consumer" else photo.file
    if not unit:
        raise DatasetError(f"{place}: a labelled consumer photo without a sender cannot be split; name the sender")
    return replace(photo, part=split.part(f"{domain}/{unit}"))
