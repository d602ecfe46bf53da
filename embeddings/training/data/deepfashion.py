"""DeepFashion (Liu et al. 2016) as it is distributed: Consumer-to-Shop and In-Shop Clothes Retrieval.

Each has a file `Eval/list_eval_partition.txt`: the number of rows, the names of the columns, then one row a line. The
two differ in their columns. Photos lie where the rows say, or below `Img/`, where the archive puts them.

    image_pair_name_1 image_pair_name_2 item_id evaluation_status       Consumer-to-Shop; train, val, test
    img/TOPS/Blouse/id_00000001/comsumer_01.jpg img/TOPS/Blouse/id_00000001/shop_01.jpg id_00000001 train

    image_name item_id evaluation_status                                In-Shop; train, query, gallery
    img/WOMEN/Dresses/id_00000002/02_1_front.jpg id_00000002 train

The official parts are kept. In Consumer-to-Shop the gallery is every shop photo of val and test. In-Shop has no
validation part: query and gallery are the test part, and a share of the training items becomes the validation part.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from embeddings.training.data.categories import Domain
from embeddings.training.data.photos import DatasetError, LabelledPhoto, Part, Role, Split

PARTITION = "Eval/list_eval_partition.txt"

_CONSUMER_TO_SHOP = ["image_pair_name_1", "image_pair_name_2", "item_id", "evaluation_status"]
_IN_SHOP = ["image_name", "item_id", "evaluation_status"]
_PARTS: dict[str, Part] = {"train": "train", "val": "validation", "test": "test"}
_ROLES: dict[str, Role] = {"train": "", "query": "query", "gallery": "gallery"}


def read(folder: Path, split: Split) -> list[LabelledPhoto]:
    """Read either set: each photo once, in the order of the rows.

    Raises:
        DatasetError: the file belongs to neither set, or a row is malformed.
    """
    path = folder / PARTITION
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"cannot read {path} ({error})") from error
    columns = lines[1].split() if len(lines) > 1 else []
    below = "Img/" if (folder / "Img" / "img").is_dir() else ""
    photos: dict[str, LabelledPhoto] = {}
    if columns == _CONSUMER_TO_SHOP:
        for (consumer, shop, item, status), place in _rows(lines, path, len(columns)):
            _check(status, _PARTS, place)
            part = _PARTS[status]
            asks: Role = "" if part == "train" else "query"
            answers: Role = "" if part == "train" else "gallery"
            photos.setdefault(consumer, _photo(below, consumer, "consumer", item, part, asks, place))
            photos.setdefault(shop, _photo(below, shop, "shop", item, part, answers, place))
    elif columns == _IN_SHOP:
        for (name, item, status), place in _rows(lines, path, len(columns)):
            _check(status, _ROLES, place)
            role = _ROLES[status]
            kept = split.part(f"shop/{item}") == "validation"
            part = "test" if role else "validation" if kept else "train"
            photos.setdefault(name, _photo(below, name, "shop", item, part, role, place))
    else:
        raise DatasetError(
            f"{path}:2: the columns are neither {' '.join(_CONSUMER_TO_SHOP)} nor {' '.join(_IN_SHOP)}; "
            "only DeepFashion's two retrieval benchmarks can be read"
        )
    return list(photos.values())


def _rows(lines: list[str], path: Path, width: int) -> Iterator[tuple[list[str], str]]:
    """Yield the cells of each row, and its file and line."""
    for number, line in enumerate(lines[2:], start=3):
        cells = line.split()
        if cells and len(cells) != width:
            raise DatasetError(f"{path}:{number}: {len(cells)} words where {width} are expected")
        if cells:
            yield cells, f"{path}:{number}"


def _check(status: str, known: Iterable[str], place: str) -> None:
    if status not in known:
        raise DatasetError(f"{place}: status {status!r} is none of {', '.join(known)}")


def _photo(below: str, name: str, domain: Domain, item: str, part: Part, role: Role, place: str) -> LabelledPhoto:
    """Make a photo from its path, img/GROUP/TYPE/ITEM/file; in In-Shop the group is the gender, MEN or WOMEN."""
    folders = name.split("/")
    if len(folders) != 5 or folders[0] != "img":
        raise DatasetError(f"{place}: {name} is not as in img/WOMEN/Dresses/id_00000002/02_1_front.jpg")
    _, group, word, _, _ = folders
    gender = group.capitalize() if group in ("MEN", "WOMEN") else ""
    return LabelledPhoto(below + name, domain, word, word, gender, "", "", item, part, role)
