"""Run the programs in the documents."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from embeddings.products.feed import read_feed
from embeddings.products.matching import match
from embeddings.products.product import Price
from embeddings.rebuild import rebuild
from scripts.drawn_gallery import draw_gallery
from tests.docs.documents import ROOT, document
from tests.servers.s3 import S3Server


def test_an_index_is_read_with_numpy_alone(tmp_path: Path) -> None:
    draw_gallery(tmp_path / "gallery", count=3)
    rebuild(str(tmp_path / "gallery"), str(tmp_path / "index"))
    program = next(block for block in document("docs/index-format.md").blocks if block.startswith("import json"))
    said = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert said.stdout.startswith("(3, ")
    assert all(f"{kind}/" in said.stdout for kind in ("dresses", "shirts", "trousers"))


SHOPIFY = """\
Handle,Title,Vendor,Type,Option1 Name,Option1 Value,Variant Price,Image Src,Image Position
linen-shirt,"Shirt, linen",Nordwind,Shirts,Size,S,39.00,https://cdn.shopify.com/s/files/1/linen-1.jpg?v=17,1
linen-shirt,,,,,M,39.00,https://cdn.shopify.com/s/files/1/linen-2.jpg?v=17,2
no-photo,Hat,Nordwind,Hats,Title,Default Title,9.00,,
"""
WOOCOMMERCE = """\
ID,Type,SKU,Name,In stock?,Regular price,Sale price,Categories,Images
7,simple,A,"Shirt, linen",1,39.00,29.00,"Clothes > Shirts, Sale","https://shop.example/linen-1.jpg, https://shop.example/linen-2.jpg"
8,variable,B,Hat,0,,,Hats,https://shop.example/hat.jpg
9,variation,B-1,Hat - red,1,9.00,,,https://shop.example/hat.jpg
"""


@pytest.mark.parametrize(
    ("heading", "name", "export", "shown"),
    [
        ("### Shopify's own export", "products_export.csv", SHOPIFY, {"linen-shirt"}),
        ("### WooCommerce's own export", "wc-product-export.csv", WOOCOMMERCE, {"7", "8"}),
    ],
)
def test_a_shops_own_export_becomes_a_feed(
    heading: str, name: str, export: str, shown: set[str], tmp_path: Path
) -> None:
    (tmp_path / name).write_text("\ufeff" + export, encoding="utf-8")
    section = document("docs/products.md").section(heading)
    (program,) = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    feed = read_feed((tmp_path / "feed.csv").read_bytes())
    first = feed.rows[0]
    assert first.product.values["title"] == "Shirt, linen"
    assert first.product.values["price"] == Price(39, "EUR")
    assert {row.product.id for row in feed.rows} == shown
    assert {"linen-1.jpg", "linen-2.jpg"} <= match(feed.rows, ["linen-1.jpg", "linen-2.jpg", "hat.jpg"]).products.keys()


def test_the_feed_of_the_document_is_one() -> None:
    (example,) = re.findall(r"^```csv\n(.*?)^```$", document("docs/products.md").text, re.MULTILINE | re.DOTALL)
    matches = match(read_feed(example.encode()).rows, ["linen.jpg"])
    assert not matches.refusals.count
    assert matches.products["linen.jpg"].values["size"] == ("S",)


def test_a_deleted_index_comes_back_from_its_versions(s3_server: S3Server) -> None:
    bucket, s3 = s3_server.new_bucket(), boto3.client("s3")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for key, content in (("current.json", b"old"), ("current.json", b"new"), ("models/m.tflite", b"model")):
        s3.put_object(Bucket=bucket, Key=key, Body=content)
    for key in ("current.json", "models/m.tflite"):
        s3.delete_object(Bucket=bucket, Key=key)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    section = document("docs/operations.md").section("## An index that was damaged or deleted")
    (line,) = re.findall(r"^python -c .*$", section, re.MULTILINE)
    _, _, program = shlex.split(line)
    subprocess.run([sys.executable, "-c", program.replace("BUCKET", bucket)], check=True)
    restored = {
        each["Key"]: s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
        for each in s3.list_objects_v2(Bucket=bucket)["Contents"]
    }
    assert restored == {"current.json": b"new", "models/m.tflite": b"model"}


@pytest.mark.slow
def test_a_large_gallery_is_filled_by_several_processes_and_by_numbered_tasks(tmp_path: Path) -> None:
    draw_gallery(tmp_path / "gallery", count=12)
    section = document("docs/operations.md").section("## A large gallery the first time")
    laptop, merge = re.findall(r"^(?:seq 4|python .* --merge first$).*", section.partition("four processes:")[2], re.M)
    (task,) = re.findall(r"^python .*INDEX \+ 1\)\)/16$", section, re.M)
    (job,) = re.findall(r"--args '-c,(python .*)'$", section, re.M)

    def run(command: str, **environment: str) -> str:
        for word, value in (("python", sys.executable), ("GALLERY_URI", "gallery"), ("INDEX_URI", environment["TO"])):
            command = re.sub(rf"\b{word} ", value.replace("\\", r"\\") + " ", command)
        command = command.replace("scripts/", f"{ROOT}/scripts/")
        done = subprocess.run(
            ["sh", "-c", command], cwd=tmp_path, env=os.environ | environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run(laptop, TO="index").count("shard done") == 4
    assert run(merge, TO="index").startswith("published: 12 added")
    for number in range(2):
        assert "run: first, shard" in run(job, TO="other", CLOUD_RUN_TASK_INDEX=str(number), CLOUD_RUN_TASK_COUNT="2")
    assert run(merge, TO="other").startswith("published: 12 added")
    assert run(task, TO="third", INDEX="15").endswith("run: first, shard 16/16\n")
