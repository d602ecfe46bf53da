"""DeepFashion's two retrieval sets in their official layout, with drawn garments for photos."""

from pathlib import Path

from tests.training.shapes import COLOURS, draw_garment

_KIND = {"Blouse": "Tshirts", "Leggings": "Trousers", "Dresses": "Tshirts", "Denim": "Trousers"}
_GROUNDS = {"shop": (255, 255, 255), "comsumer": (150, 120, 90)}


def draw(folder: Path, name: str, item: int) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    red, green, blue = list(COLOURS.values())[item % 4]
    ground = _GROUNDS["comsumer" if file.name.startswith("comsumer") else "shop"]
    colour = (red, green, (blue + 29 * item) % 200)  # no two items alike
    draw_garment(_KIND[file.parent.parent.name], colour, ground, (60, 80)).save(file)


def write_partition(folder: Path, columns: str, rows: list[str]) -> None:
    (folder / "Eval").mkdir(parents=True)
    (folder / "Eval" / "list_eval_partition.txt").write_text("\n".join([str(len(rows)), columns, *rows]) + "\n")


def write_consumer_to_shop(folder: Path, items: int = 40) -> Path:
    """Items with two consumer photos and a shop photo; of four, one is train, one val and two are test."""
    rows = []
    for item in range(1, items + 1):
        place = f"img/{'TOPS/Blouse' if item % 2 else 'TROUSERS/Leggings'}/id_{item:08}"
        status = ("train", "val", "test", "test")[item % 4]
        for number in (1, 2):
            consumer, shop = f"{place}/comsumer_{number:02}.jpg", f"{place}/shop_01.jpg"
            rows.append(f"{consumer} {shop} id_{item:08} {status}")
            draw(folder, consumer, item)
        draw(folder, shop, item)
    write_partition(folder, "image_pair_name_1 image_pair_name_2 item_id evaluation_status", rows)
    (folder / "Anno").mkdir()
    names = "\n".join(f"id_{item:08}" for item in range(1, items + 1))
    (folder / "Anno" / "list_item_consumer2shop.txt").write_text(f"{items}\n{names}\n")
    return folder


def write_in_shop(folder: Path, items: int = 60) -> Path:
    """Items with three views; half of the items are train, of the others one view is a query."""
    rows = []
    for item in range(1, items + 1):
        place = f"img/{'WOMEN/Dresses' if item % 2 else 'MEN/Denim'}/id_{item:08}"
        for number, view in enumerate(("1_front", "2_side", "3_back")):
            status = "train" if item <= items // 2 else ("gallery" if number else "query")
            rows.append(f"{place}/02_{view}.jpg id_{item:08} {status}")
            draw(folder / "Img", f"{place}/02_{view}.jpg", item)
    write_partition(folder, "image_name item_id evaluation_status", rows)
    return folder
