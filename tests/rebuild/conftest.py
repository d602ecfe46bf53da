from pathlib import Path

import pytest

from tests.rebuild.gallery import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Three photos in two folders, not indexed yet."""
    made = Shop(str(tmp_path / "gallery"), str(tmp_path / "index"))
    made.put({"shirts/red.jpg": "red", "shirts/blue.jpg": "blue", "shoes/green.jpg": "green"})
    return made


@pytest.fixture(params=["folder", "s3", "gs"])
def any_shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    """The same shop on each kind of storage."""
    if request.param == "folder":
        return request.getfixturevalue("shop")
    if request.param == "s3":
        bucket = request.getfixturevalue("s3_server").new_bucket()
    else:
        bucket = "shop"
        request.getfixturevalue("gcs_server").buckets[bucket] = {}
    made = Shop(f"{request.param}://{bucket}/gallery", f"{request.param}://{bucket}/index")
    made.put({"shirts/red.jpg": "red", "shirts/blue.jpg": "blue", "shoes/green.jpg": "green"})
    return made
