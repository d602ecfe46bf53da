"""The folders that /v1/index lists."""

from collections import Counter

import pytest

from embeddings.folder_counts import MOST_FOLDERS, top_folders
from tests.functions.conftest import Service


@pytest.mark.parametrize(
    ("keys", "folders"),
    [
        pytest.param([], [], id="empty"),
        pytest.param(["a.jpg", "b.jpg"], [], id="no folders"),
        pytest.param(["a/1", "a/2", "a/b/3"], [("a", 3)], id="folders within"),
        # As keys, "a-b/1" < "a.jpg" < "a/1" < "a0/1".
        pytest.param(
            ["0", "a-b/1", "a.jpg", "a/1", "a/2", "a0/1", "a1"], [("a", 2), ("a-b", 1), ("a0", 1)], id="neighbours"
        ),
        pytest.param(["hüte/1", "\U0001f45f/1"], [("hüte", 1), ("\U0001f45f", 1)], id="unicode"),
    ],
)
def test_top_folders(keys: list[str], folders: list[tuple[str, int]]) -> None:
    assert sorted(keys) == keys
    assert list(top_folders(keys).items()) == folders


def test_only_the_first_thousand() -> None:
    keys = [f"product {number:04}/{photo}.jpg" for number in range(MOST_FOLDERS + 5) for photo in range(2)]
    assert list(top_folders(keys)) == [f"product {number:04}" for number in range(MOST_FOLDERS)]


def test_the_index_lists_them_and_each_is_a_prefix(service: Service, photos: dict[str, bytes]) -> None:
    listed = {folder["name"]: folder["count"] for folder in service.get("/v1/index").json["folders"]}
    assert listed == Counter(key.partition("/")[0] for key in photos if "/" in key)
    assert list(listed) == sorted(listed)
    query = service.get("/v1/similar?key=coats/0.jpg&k=100&prefix=shoes")
    assert len(query.keys) == listed["shoes"]
