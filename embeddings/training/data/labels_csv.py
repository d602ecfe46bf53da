"""Photos with a table of labels: labels.csv, two domains with a vocabulary each (see `labels`).

Consumer photos are split by sender, because photos of one sender share a room, a camera and a style; shop photos by
item, of which each has one photo.
"""

import csv
from pathlib import Path

from embeddings.training.data.categories import DOMAINS, joint_category
from embeddings.training.data.photos import DatasetError, LabelledPhoto, Split

TABLE = "labels.csv"

_COLUMNS = ("file", "domain", "category", "gender", "colour", "sender")


def read(folder: Path, split: Split) -> list[LabelledPhoto]:
    """Read `labels.csv` (file, domain, category, gender, colour, sender) in the order of its rows.

    Raises:
        DatasetError: missing columns, an unknown word, a photo without its unit, or not a table at all.
    """
    path = folder / TABLE
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, restval="")
            missing = set(_COLUMNS) - set(reader.fieldnames or ())
            if missing:
                raise DatasetError(f"{path} lacks the columns {', '.join(sorted(missing))}")
            return [_photo(row, split, f"{path}:{reader.line_num}") for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"cannot read {path} ({error}); it must be a table in UTF-8, with commas") from error


def _photo(row: dict[str, str], split: Split, place: str) -> LabelledPhoto:
    domain = next((known for known in DOMAINS if known == row["domain"]), None)
    if domain is None:
        raise DatasetError(f"{place}: domain {row['domain']!r} is neither of {', '.join(DOMAINS)}")
    unit = row["sender"] if domain == "consumer" else row["file"]
    if not row["file"]:
        raise DatasetError(f"{place}: a photo without a file")
    if not unit:
        raise DatasetError(f"{place}: a consumer photo without a sender cannot be split")
    try:
        category = joint_category(domain, row["category"])
    except KeyError as error:
        raise DatasetError(f"{place}: {error.args[0]}") from error
    return LabelledPhoto(
        file=row["file"],
        domain=domain,
        category=category,
        type=row["category"],
        gender=row["gender"],
        colour=row["colour"],
        sender=row["sender"],
        item=row["file"],
        part=split.part(f"{domain}/{unit}"),
    )
