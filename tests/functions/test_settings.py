"""Settings from the environment: defaults, every rule, several problems at once."""

import math
from dataclasses import FrozenInstanceError

import pytest

from functions.settings import ReindexSettings, SearchSettings, SettingsError

PUBLIC = {"INDEX_URI": "s3://bucket/index", "IMAGE_BASE_URL": "https://images.example/shop/"}
PLACES = {"INDEX_URI": "s3://bucket/index", "GALLERY_URI": "s3://photos"}
PRIVATE = {"INDEX_URI": "gs://bucket/index", "GALLERY_URI": "gs://photos", "SIGNED_URL_SECONDS": "900"}


def test_defaults() -> None:
    assert SearchSettings.read(PUBLIC) == SearchSettings(
        index_uri="s3://bucket/index",
        gallery_uri="",
        image_base_url="https://images.example/shop",
        signed_url_seconds=0,
        cors_origins=("*",),
        refresh_seconds=60,
        max_upload_bytes=10_000_000,
        max_pixels=50_000_000,
        base_path="",
    )
    assert ReindexSettings.read(PLACES) == ReindexSettings(
        index_uri="s3://bucket/index",
        gallery_uri="s3://photos",
        reindex_seconds=math.inf,
        reindex_queue_url="",
        vector_bucket="",
        feed_uri="",
        image_base_url="",
        hide_unlisted=None,
    )


def test_everything_set() -> None:
    settings = SearchSettings.read(
        {
            **PRIVATE,
            "CORS_ORIGINS": " https://a.example , http://localhost:8000,http://[::1]:80,capacitor://localhost",
            "BASE_PATH": "/shop/search/",
            "REFRESH_SECONDS": "0",
            "MAX_UPLOAD_BYTES": "4500000",
            "MAX_PIXELS": "25600",
        }
    )
    assert (settings.gallery_uri, settings.image_base_url, settings.signed_url_seconds) == ("gs://photos", "", 900)
    assert settings.cors_origins[:3] == ("https://a.example", "http://localhost:8000", "http://[::1]:80")
    assert settings.cors_origins[3:] == ("capacitor://localhost",)
    assert settings.base_path == "/shop/search"
    assert (settings.refresh_seconds, settings.max_upload_bytes, settings.max_pixels) == (0, 4_500_000, 25_600)


def test_the_product_feeds_settings() -> None:
    settings = ReindexSettings.read(
        {**PLACES, "FEED_URI": "s3://feeds/today.csv", "IMAGE_BASE_URL": "https://images.example/", "UNLISTED": "hide"}
    )
    assert (settings.feed_uri, settings.image_base_url) == ("s3://feeds/today.csv", "https://images.example")
    assert settings.hide_unlisted is True
    assert ReindexSettings.read({**PLACES, "UNLISTED": "keep"}).hide_unlisted is False
    with pytest.raises(SettingsError, match="UNLISTED is 'drop': give keep or hide"):
        ReindexSettings.read({**PLACES, "UNLISTED": "drop"})


def test_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        SearchSettings.read(PUBLIC).index_uri = "elsewhere"  # type: ignore[misc]


def test_blank_is_not_set() -> None:
    blank = dict.fromkeys(("GALLERY_URI", "CORS_ORIGINS", "REFRESH_SECONDS", "SIGNED_URL_SECONDS"), " ")
    assert SearchSettings.read({**PUBLIC, **blank}) == SearchSettings.read(PUBLIC)
    with pytest.raises(SettingsError, match="INDEX_URI is not set"):
        SearchSettings.read({**PUBLIC, "INDEX_URI": " "})


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("INDEX_URI", "ftp://x", "s3://bucket/prefix"),
        ("INDEX_URI", "s3://", "s3://bucket/prefix"),
        ("GALLERY_URI", "gs:///x", "gs://bucket/prefix"),
        ("IMAGE_BASE_URL", "images.example", "http(s) address"),
        ("IMAGE_BASE_URL", "ftp://images.example", "http(s) address"),
        ("IMAGE_BASE_URL", "https://images.example/?x=1", "without a query"),
        ("IMAGE_BASE_URL", "https://images.example/#x", "http(s) address"),
        ("IMAGE_BASE_URL", "https://[", "Invalid IPv6 URL"),
        ("SIGNED_URL_SECONDS", "0", "from 1 to 604800"),
        ("SIGNED_URL_SECONDS", "604801", "from 1 to 604800"),
        ("CORS_ORIGINS", ",", "a list of origins"),
        ("BASE_PATH", "search", "such as /search"),
        ("BASE_PATH", "/a//b", "such as /search"),
        ("CORS_ORIGINS", "*,https://a.example", "a list of origins"),
        ("CORS_ORIGINS", "https://a.example/", "not an origin"),
        ("CORS_ORIGINS", "https://A.example", "not an origin"),
        ("CORS_ORIGINS", "https://a.example/page", "not an origin"),
        ("CORS_ORIGINS", "a.example", "not an origin"),
        ("CORS_ORIGINS", "null", "not an origin"),
        ("CORS_ORIGINS", "https://user@a.example", "not an origin"),
        ("REFRESH_SECONDS", "-1", "from 0 to 86400"),
        ("REFRESH_SECONDS", "86401", "from 0 to 86400"),
        ("REFRESH_SECONDS", "1m", "from 0 to 86400"),
        ("MAX_UPLOAD_BYTES", "10 MB", "from 1000 to 100000000"),
        ("MAX_UPLOAD_BYTES", "999", "from 1000 to 100000000"),
        ("MAX_UPLOAD_BYTES", "9" * 5000, ""),
        ("MAX_PIXELS", "5e7", "from 25600 to 500000000"),
        ("MAX_PIXELS", "25599", "from 25600 to 500000000"),
    ],
)
def test_every_rule_of_the_search(name: str, value: str, rule: str) -> None:
    with pytest.raises(SettingsError) as error:
        SearchSettings.read({**PUBLIC, name: value})
    assert f"{name} is {value!r}: " in str(error.value)
    assert rule in str(error.value)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("INDEX_URI", "ftp://x", "s3://bucket/prefix"),
        ("GALLERY_URI", "gs:///x", "gs://bucket/prefix"),
        ("REINDEX_SECONDS", "0", "from 1 to 86400"),
        ("REINDEX_SECONDS", "9.5", "from 1 to 86400"),
        ("REINDEX_QUEUE_URL", "reindex", "the queue's URL"),
        ("REINDEX_QUEUE_URL", "https://sqs.example/", "the queue's URL"),
        ("REINDEX_QUEUE_URL", "arn:aws:sqs:eu-central-1:123456789012:reindex", "the queue's URL"),
        ("VECTOR_BUCKET", "My Bucket", "the name of a vector bucket"),
    ],
)
def test_every_rule_of_the_reindex(name: str, value: str, rule: str) -> None:
    with pytest.raises(SettingsError) as error:
        ReindexSettings.read({**PLACES, name: value})
    assert f"{name} is {value!r}: " in str(error.value)
    assert rule in str(error.value)


def test_each_reads_its_own_settings_alone() -> None:
    """A variable of another function must not stop this one."""
    assert SearchSettings.read({**PUBLIC, "REINDEX_SECONDS": "soon"}) == SearchSettings.read(PUBLIC)
    assert ReindexSettings.read({**PLACES, "MAX_PIXELS": "many"}) == ReindexSettings.read(PLACES)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({**PUBLIC, **PRIVATE}, "one of IMAGE_BASE_URL .* and SIGNED_URL_SECONDS"),
        ({"INDEX_URI": "/index"}, "one of IMAGE_BASE_URL .* and SIGNED_URL_SECONDS"),
        ({**PRIVATE, "GALLERY_URI": ""}, "SIGNED_URL_SECONDS needs GALLERY_URI"),
        ({**PRIVATE, "GALLERY_URI": "/photos"}, "SIGNED_URL_SECONDS needs GALLERY_URI"),
        ({"IMAGE_BASE_URL": "https://a.example"}, "INDEX_URI is not set"),
    ],
)
def test_what_goes_together(environment: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        SearchSettings.read(environment)


def test_the_reindex_needs_both_places_and_no_address_of_images() -> None:
    queue = "https://sqs.eu-central-1.amazonaws.com/123456789012/reindex"
    settings = ReindexSettings.read({**PLACES, "REINDEX_SECONDS": "900", "REINDEX_QUEUE_URL": queue})
    assert settings.gallery_uri == "s3://photos"
    assert (settings.reindex_seconds, settings.reindex_queue_url) == (900, queue)
    with pytest.raises(SettingsError, match="INDEX_URI is not set; GALLERY_URI is not set"):
        ReindexSettings.read({})


def test_all_problems_at_once() -> None:
    wrong = {"INDEX_URI": "s3://", "REFRESH_SECONDS": "x", "MAX_PIXELS": "1", "CORS_ORIGINS": "a"}
    with pytest.raises(SettingsError) as error:
        SearchSettings.read(wrong)
    for name in [*wrong, "IMAGE_BASE_URL"]:
        assert name in str(error.value)
    with pytest.raises(SettingsError, match=r"INDEX_URI.*GALLERY_URI.*REINDEX_SECONDS.*VECTOR_BUCKET"):
        ReindexSettings.read({"INDEX_URI": "s3://", "REINDEX_SECONDS": "x", "VECTOR_BUCKET": "My Bucket"})
