"""The programs in the documents do what is said of them."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import boto3

from embeddings.rebuild import rebuild
from scripts.drawn_gallery import draw_gallery
from tests.docs.documents import document
from tests.servers.fixtures import S3Server


def test_an_index_is_read_with_numpy_alone(tmp_path: Path) -> None:
    draw_gallery(tmp_path / "gallery", count=3)
    rebuild(str(tmp_path / "gallery"), str(tmp_path / "index"))
    program = next(block for block in document("docs/index-format.md").blocks if block.startswith("import json"))
    said = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert said.stdout.startswith("(3, ")
    assert all(f"{kind}/" in said.stdout for kind in ("dresses", "shirts", "trousers"))


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
