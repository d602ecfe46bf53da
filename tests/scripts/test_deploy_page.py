"""`deploy_page.py` uploads every file with its content type and sets the service's address."""

from pathlib import Path

import boto3
import pytest

from scripts.deploy_page import SITE, main

SERVICE = "https://search.example.com"


def test_every_file_arrives_with_its_type_and_the_page_knows_its_service(s3_server, capsys: pytest.CaptureFixture[str]):
    bucket = s3_server.new_bucket()
    assert main(["--service", f"{SERVICE}/", "--to", f"s3://{bucket}/shop"]) == 0
    assert SERVICE in capsys.readouterr().out

    s3 = boto3.client("s3")
    there = {entry["Key"]: s3.get_object(Bucket=bucket, Key=entry["Key"]) for entry in _listed(s3, bucket)}
    assert {key.removeprefix("shop/") for key in there} == {path.name for path in SITE.iterdir()}
    assert there["shop/config.js"]["Body"].read().decode() == f'export const SERVICE_URL = "{SERVICE}";\n'
    assert there["shop/index.html"]["Body"].read() == (SITE / "index.html").read_bytes()
    types = {key.rsplit(".")[-1]: answer["ContentType"] for key, answer in there.items()}
    assert types == {
        "html": "text/html; charset=utf-8",
        "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "svg": "image/svg+xml",
    }
    assert {answer["CacheControl"] for answer in there.values()} == {"no-cache"}


def _listed(s3, bucket: str) -> list[dict[str, str]]:
    return s3.list_objects_v2(Bucket=bucket)["Contents"]


def test_it_writes_to_google_and_to_a_folder(gcs_server, tmp_path: Path):
    gcs_server.buckets["page"] = {}
    assert main(["--service", SERVICE, "--to", "gs://page"]) == 0
    assert SERVICE in gcs_server.read("page", "config.js").data.decode()
    assert main(["--service", SERVICE, "--to", str(tmp_path / "public")]) == 0
    assert SERVICE in (tmp_path / "public" / "config.js").read_text()


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("search.example.com", "not an address like"),
        ("https://search.example.com/?stage=dev", "not an address like"),
        ("http://search.example.com", "must start with https"),
        ("https://search.example.com:99999", "not an address like"),
        ("https://search.example.com/v1/search", "route of the service"),
    ],
)
def test_an_address_that_the_page_cannot_use_is_refused(
    address: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit):
        main(["--service", address, "--to", str(tmp_path / "public")])
    assert why in capsys.readouterr().err
    assert not (tmp_path / "public").exists()


def test_a_missing_bucket_gives_a_plain_message(s3_server, capsys: pytest.CaptureFixture[str]):
    assert main(["--service", SERVICE, "--to", "s3://no-such-bucket"]) == 1
    assert "no-such-bucket" in capsys.readouterr().err
