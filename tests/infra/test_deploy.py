"""The real CLI deploys to moto, reports and removes. test_template.py covers what moto's CloudFormation leaves out."""

from typing import Any

import boto3
import pytest

from tests.infra.conftest import Serverless
from tests.servers.s3 import S3Server

STACK = "garment-search-dev"
REGION = "eu-west-1"  # other tests use another region


@pytest.fixture
def account(serverless: Serverless, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of a deployment to moto."""
    # moto treats cfn-lint's warnings as errors; test_template.py checks them.
    monkeypatch.setattr("moto.cloudformation.models.CloudFormationBackend.validate_template", lambda *_: [])
    return {
        "AWS_ENDPOINT_URL": s3_server.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "SLS_AWS_MONITORING_FREQUENCY": "100",
    }


def held(url: str) -> dict[str, list[Any]]:
    """List what the account has of the stack."""

    def ask(service: str, operation: str, list_name: str) -> list[Any]:
        client = boto3.client(service, region_name=REGION, endpoint_url=url)  # type: ignore[call-overload]
        return [each for each in getattr(client, operation)().get(list_name, []) if STACK in str(each)]

    return {
        "functions": ask("lambda", "list_functions", "Functions"),
        "mappings": ask("lambda", "list_event_source_mappings", "EventSourceMappings"),
        "roles": ask("iam", "list_roles", "Roles"),
        "buckets": ask("s3", "list_buckets", "Buckets"),
        "queues": ask("sqs", "list_queues", "QueueUrls"),
        "rules": ask("events", "list_rules", "Rules"),
        "logs": ask("logs", "describe_log_groups", "logGroups"),
        "stacks": ask("cloudformation", "describe_stacks", "Stacks"),
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Tried to parse AWS:UserWarning")  # for what moto leaves out
def test_deploy_info_remove(account: dict[str, str], serverless: Serverless) -> None:
    url = account["AWS_ENDPOINT_URL"]
    done = serverless("deploy", "--param=bundle=ready.zip", **account)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Service deployed to stack {STACK}" in done.stderr

    there = held(url)
    assert {name: len(each) for name, each in there.items()} == {
        "functions": 3,
        "mappings": 1,
        "roles": 3,
        "buckets": 3,
        "queues": 2,
        "rules": 1,
        "logs": 3,
        "stacks": 1,
    }
    functions = {each["FunctionName"].removeprefix(f"{STACK}-"): each for each in there["functions"]}
    assert functions.keys() == {"search", "reindex", "reindex-scheduled"}
    variables = functions["search"]["Environment"]["Variables"]
    buckets = {f"s3://{each['Name']}" for each in there["buckets"]}
    assert {variables["INDEX_URI"], variables["GALLERY_URI"].rstrip("/")} < buckets
    variables = functions["reindex"]["Environment"]["Variables"]
    [mapping] = there["mappings"]
    assert variables["REINDEX_QUEUE_URL"].rpartition("/")[2] == mapping["EventSourceArn"].rpartition(":")[2]
    tags = {each["Key"]: each["Value"] for each in there["stacks"][0]["Tags"]}
    assert tags == {"service": "garment-search", "stage": "dev"}

    done = serverless("info", **account)
    assert done.returncode == 0
    assert f"stack: {STACK}" in done.stdout

    done = serverless("remove", **account)
    assert done.returncode == 0, done.stdout + done.stderr
    # moto lacks RetainExceptOnCreate, which would keep the buckets.
    assert not any(held(url).values())
