"""docs/deploy-amazon.md describes the deployment, and its commands work."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from functions.reindex.events import ObjectEvent, s3_events
from tests.infra.conftest import OPTIONS
from tests.infra.stack import Stack
from tests.servers.s3 import S3Server

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/deploy-amazon.md").read_text()


class _Loader(yaml.SafeLoader):
    """Loads the value behind CloudFormation's tags."""


_Loader.add_multi_constructor("!", lambda *_: None)


REMEMBERED = re.compile(r'\$\{env:(\w+), "(.*)"\}')
"""A param that a .env file may set, with its default."""


def declared() -> dict[str, Any]:
    read: dict[str, Any] = yaml.load((ROOT / "serverless.yml").read_text(), _Loader)["params"]
    return read


def params() -> dict[str, Any]:
    """Read the params with their values if no .env file sets them."""
    return {
        stage: {name: REMEMBERED.sub(r"\2", value) if isinstance(value, str) else value for name, value in of.items()}
        for stage, of in declared().items()
    }


def text(value: object) -> str:
    """Format a value as YAML does."""
    return str(value).lower() if isinstance(value, bool) else str(value) or '""'


def command(beginning: str) -> str:
    [found] = re.findall(rf"^{re.escape(beginning)}.*$", DOCUMENT, re.MULTILINE)
    return str(found)


def test_every_param_is_documented_with_its_values() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(.*?)` \| `(.*?)` \| .+ \|$", DOCUMENT, re.MULTILINE)
    dev = params()["default"]
    prod = dev | params()["prod"]
    assert [(name, text(dev[name]), text(prod[name])) for name in dev] == rows
    assert params().keys() == {"default", "prod"}


def test_the_variables_of_env_files_are_named_after_their_params_and_documented() -> None:
    found = {name: REMEMBERED.fullmatch(str(value)) for name, value in declared()["default"].items()}
    variables = {name: match[1] for name, match in found.items() if match}
    assert variables == {name: "PARAM_" + re.sub("([A-Z])", r"_\1", name).upper() for name in variables}
    [listed] = re.findall(r"remembers what is your own: (.*?)\. Write", " ".join(DOCUMENT.split()))
    assert re.findall(r"`(\w+)`", listed) == [*variables.values()]


def test_every_param_is_used() -> None:
    sources = [ROOT / "serverless.yml", *(ROOT / "infra").glob("*.yml")]
    used = {name for source in sources for name in re.findall(r"\$\{param:(\w+)\}", source.read_text())}
    used |= set(re.findall(r'param\(resolveVariable, "(\w+)"\)', (ROOT / "infra/values.js").read_text()))
    assert used == params()["default"].keys()
    assert OPTIONS.keys() <= used


@pytest.mark.slow
def test_the_outputs_it_names_exist(options: Stack) -> None:
    named = {"ServiceUrl", "GalleryUri", "IndexUri", "SiteUri", "SiteUrl", "DomainTarget", "ReindexQueueArn"}
    assert named <= set(re.findall(r"\w+", DOCUMENT))
    assert named <= options.outputs.keys()


def test_the_page_gets_the_services_address(tmp_path: Path) -> None:
    line = command("python scripts/deploy_page.py")
    line = line.replace("SERVICE_URL", "https://search.shop.example").replace("SITE_URI", str(tmp_path / "site"))
    subprocess.run([sys.executable, *shlex.split(line)[1:]], cwd=ROOT, check=True)
    assert "https://search.shop.example" in (tmp_path / "site/config.js").read_text()


def test_what_the_readme_installs_is_what_the_document_installs() -> None:
    readme = (ROOT / "README.md").read_text()
    steps = re.findall(
        r"^(?:npm ci|python3\.13 -m venv .*|pip install .*|npx serverless deploy .*)$", DOCUMENT, re.MULTILINE
    )
    assert len(steps) >= 5
    for step in steps:
        if "--param" not in step:
            assert f"    {step}\n" in readme, f"README.md: {step}"


def test_the_notification_reaches_the_queue(s3_server: S3Server) -> None:
    bucket = s3_server.new_bucket()
    sqs, s3 = boto3.client("sqs"), boto3.client("s3")
    queue = sqs.create_queue(QueueName="reindex-by-document")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    words = shlex.split(command("aws s3api put-bucket-notification-configuration"))
    configuration = json.loads(words[words.index("--notification-configuration") + 1].replace("QUEUE_ARN", arn))
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    sqs.purge_queue(QueueUrl=queue)  # the test message
    s3.put_object(Bucket=bucket, Key="elsewhere/1.jpg", Body=b"")
    s3.put_object(Bucket=bucket, Key="photos/1.jpg", Body=b"")
    s3.delete_object(Bucket=bucket, Key="photos/1.jpg")
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    events = [event for each in messages for event in s3_events(each["Body"])]
    assert events == [ObjectEvent(bucket, "photos/1.jpg")] * 2  # written and deleted


def test_a_bucket_is_deleted_with_its_old_versions(s3_server: S3Server) -> None:
    bucket, s3 = s3_server.new_bucket(), boto3.client("s3")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for content in (b"old", b"new"):
        s3.put_object(Bucket=bucket, Key="current.json", Body=content)
    _, _, script = shlex.split(command("python -c"))
    subprocess.run([sys.executable, "-c", script.replace("BUCKET", bucket)], check=True)
    assert bucket not in [each["Name"] for each in s3.list_buckets()["Buckets"]]
