"""DeepFashion's two retrieval sets in their official layout."""

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from embeddings.training.data.datasets import load_pixels, read_photos
from embeddings.training.data.photos import DatasetError, Split
from tests.training.deepfashion_fixture import write_consumer_to_shop, write_in_shop, write_partition

PAIRS = "image_pair_name_1 image_pair_name_2 item_id evaluation_status"


def test_consumer_to_shop_keeps_its_official_parts(tmp_path: Path):
    photos = read_photos(write_consumer_to_shop(tmp_path, items=8), Split())
    assert len(photos) == 8 * 3  # the shop photo stands in two rows
    assert Counter((photo.domain, photo.part, photo.role) for photo in photos) == {
        ("consumer", "train", ""): 4,
        ("shop", "train", ""): 2,
        ("consumer", "validation", "query"): 4,
        ("shop", "validation", "gallery"): 2,
        ("consumer", "test", "query"): 8,
        ("shop", "test", "gallery"): 4,
    }
    consumer, shop = photos[:2]
    assert consumer.file == "img/TOPS/Blouse/id_00000001/comsumer_01.jpg"
    assert (consumer.item, consumer.category) == (shop.item, shop.category) == ("id_00000001", "Blouse")
    assert all(pixels.shape == (80, 60, 3) for pixels in load_pixels(tmp_path, photos))


def test_in_shop_keeps_query_and_gallery_and_takes_validation_from_training(tmp_path: Path):
    photos = read_photos(write_in_shop(tmp_path), Split())
    assert Counter((photo.part == "test", photo.role) for photo in photos) == {
        (False, ""): 90,
        (True, "query"): 30,
        (True, "gallery"): 60,
    }
    parts = defaultdict(set)
    for photo in photos:
        parts[photo.part].add(photo.item)
    assert 0 < len(parts["validation"]) < len(parts["train"])
    assert not parts["validation"] & parts["train"]
    # The archive leaves the photos below Img/.
    assert photos[0].file == "Img/img/WOMEN/Dresses/id_00000001/02_1_front.jpg"
    assert (photos[0].type, photos[0].gender, photos[0].kind) == ("Dresses", "Women", "Dresses, Women")
    assert load_pixels(tmp_path, photos[:1])[0].shape == (80, 60, 3)


@pytest.mark.parametrize(
    ("columns", "row", "message"),
    [
        ("image_name category_label", "img/a.jpg 3", r"partition\.txt:2.*image_pair_name_1.*image_name"),
        ("image_name item_id evaluation_status", "img/WOMEN/Tees/id_1/a.jpg id_1", r"partition\.txt:3.*2 words"),
        ("image_name item_id evaluation_status", "img/WOMEN/Tees/id_1/a.jpg id_1 val", r":3.*'val'.*query"),
        (PAIRS, "img/TOPS/Tee/id_1/a.jpg img/TOPS/Tee/id_1/b.jpg id_1 query", r":3.*'query'.*val"),
        (PAIRS, "img/TOPS/Tee/id_1/a.jpg b.jpg id_1 val", r":3.*b\.jpg is not as in"),
    ],
)
def test_a_wrong_partition_is_refused_with_its_line(tmp_path: Path, columns: str, row: str, message: str):
    write_partition(tmp_path, columns, [row])
    with pytest.raises(DatasetError, match=message):
        read_photos(tmp_path, Split())


def test_a_truncated_partition_is_refused(tmp_path: Path):
    write_partition(tmp_path, "", [])
    (tmp_path / "Eval" / "list_eval_partition.txt").write_text("52712\n")
    with pytest.raises(DatasetError, match="columns"):
        read_photos(tmp_path, Split())
