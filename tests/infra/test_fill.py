"""The packaged state machine for large galleries, run by moto's interpreter with the real function."""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from embeddings.index.history import rollback
from tests.deployed.instance import Runtime, runtime
from tests.infra.lambda_server import LambdaServer
from tests.infra.stack import Stack
from tests.infra.test_roles import permissions, statements
from tests.rebuild.gallery import Shop
from tests.servers.s3 import S3Server
from tests.servers.s3vectors import S3VectorsServer

ROOT = Path(__file__).parents[2]
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:reindex-scheduled"
COLOURS = ["red", "green", "blue", "orange", "purple", "black", "pink", "navy", "olive", "teal"]
SHARDS = 4

pytestmark = pytest.mark.slow


def definition(stack: Stack) -> dict[str, Any]:
    """Read the definition and fill in the function's name."""
    machine = stack.properties("FillStateMachine")
    assert machine["DefinitionSubstitutions"] == {"Reindex": "<ReindexDashscheduledLambdaFunction.Arn>"}
    filled: dict[str, Any] = json.loads(json.dumps(machine["Definition"]).replace("${Reindex}", FUNCTION))
    return filled


def tasks(stack: Stack) -> list[dict[str, Any]]:
    states = definition(stack)["States"]
    return [states["Shards"]["ItemProcessor"]["States"]["Shard"], states["Merge"]]


@pytest.fixture
def shop(s3_server: S3Server) -> Shop:
    """A bucket with some photos and no index yet."""
    shop = Shop(f"s3://{s3_server.new_bucket()}/photos", f"s3://{s3_server.new_bucket()}/index")
    shop.put({f"{number:02d}.jpg": COLOURS[number % 10] for number in range(24)} | {"bad.jpg": b"no photo"})
    return shop


@pytest.fixture
def engine(vectors_server: S3VectorsServer, monkeypatch: pytest.MonkeyPatch) -> S3VectorsServer:
    """Makes the functions keep their vectors in S3 Vectors. A test must request it before them."""
    monkeypatch.setenv("VECTOR_BUCKET", "shop")
    return vectors_server


@pytest.fixture(scope="module")
def source() -> Iterator[Runtime]:
    with runtime((sys.executable, "-P"), (ROOT,)) as running:
        yield running


@pytest.fixture
def functions(shop: Shop, source: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LambdaServer]:
    """The stand-in that the interpreter calls as Lambda."""
    environment = {
        **{name: value for name, value in os.environ.items() if name.startswith(("AWS_", "VECTOR_BUCKET"))},
        "INDEX_URI": shop.index,
        "GALLERY_URI": shop.gallery,
    }
    logs = iter(tmp_path / f"{number}.log" for number in range(1000))
    server = LambdaServer(lambda: source.started("reindex_scheduled", environment, next(logs)))
    monkeypatch.setenv("MOTO_PORT", str(server.port))
    from moto.core.config import default_user_config

    monkeypatch.setitem(default_user_config, "stepfunctions", {"execute_state_machine": True})
    with server.serving():
        yield server


class Machine:
    """Runs the state machine of a stack, with retries after one second."""

    def __init__(self, stack: Stack) -> None:
        quick = json.loads(json.dumps(definition(stack)), object_hook=_for_the_interpreter)
        self._client = boto3.client("stepfunctions")
        created = self._client.create_state_machine(
            name=f"fill-{time.time_ns()}", definition=json.dumps(quick), roleArn="arn:aws:iam::123456789012:role/fill"
        )
        self._arn = created["stateMachineArn"]

    def run(self, **given: Any) -> dict[str, Any]:
        """Run until the execution ends."""
        asked = {"run": "first", "shards": SHARDS, "concurrency": 2} | given
        begun = self._client.start_execution(
            stateMachineArn=self._arn, name=f"fill-{time.time_ns()}", input=json.dumps(asked)
        )
        arn = begun["executionArn"]
        for _ in range(3000):
            ended: dict[str, Any] = self._client.describe_execution(executionArn=arn)
            if ended["status"] != "RUNNING":
                return ended
            time.sleep(0.1)
        raise AssertionError("it does not end")


def _for_the_interpreter(state: dict[str, Any]) -> dict[str, Any]:
    if "ToleratedFailurePercentage" in state:
        state["ToleratedFailurePercentage"] = float(
            state["ToleratedFailurePercentage"]
        )  # the interpreter takes no whole number here
    return state | {name: 1 for name in ("IntervalSeconds", "MaxDelaySeconds") if name in state}


def test_shards_that_are_killed_throttled_or_out_of_time_are_merged(
    options: Stack, shop: Shop, functions: LambdaServer
) -> None:
    functions.faults = {
        "1/4": ["out of time", "out of time", "killed"],
        "2/4": ["throttled", "killed"],
        "4/4": ["throttled", "throttled", "out of time"],
        "": ["throttled", "killed"],
    }
    ended = Machine(options).run()
    assert ended["status"] == "SUCCEEDED", (ended.get("error"), ended.get("cause"))
    summary = json.loads(ended["output"])
    assert (summary["count"], summary["failed"], summary["embedded"]) == (24, 1, 0)
    assert summary["outcome"] in ("published", "unchanged"), "unchanged where the one before was killed too late"
    assert len(shop.load().gallery) == 24
    assert shop.paths("runs/") == ["runs/first/run.json"]
    assert {name for name, _ in functions.invoked} == {FUNCTION}
    asked = [payload.get("shard", "") for _, payload in functions.invoked]
    assert {shard: asked.count(shard) for shard in asked} == {"1/4": 4, "2/4": 3, "3/4": 1, "4/4": 4, "": 3}
    assert asked[-3:] == [""] * 3, "the merge waits for all"
    assert functions.most_at_once == 2
    assert shop.rebuild(model=None).embedded == 0


def test_shards_put_into_s3_vectors_and_are_merged(
    options: Stack, engine: S3VectorsServer, shop: Shop, functions: LambdaServer
) -> None:
    functions.faults = {"1/4": ["out of time", "killed"], "2/4": ["killed"] * 5, "": ["out of time"]}
    ended = Machine(options).run()
    assert ended["status"] == "SUCCEEDED", (ended.get("error"), ended.get("cause"))
    summary = json.loads(ended["output"])
    assert (summary["outcome"], summary["count"], summary["failed"]) == ("published", 24, 1)
    [index] = engine.buckets["shop"].values()
    assert sorted(index.vectors) == [f"{number:02d}.jpg" for number in range(24)]
    assert shop.paths("runs/") == []
    assert len(shop.load().gallery.search(shop.load().gallery.vector("00.jpg"), k=24)) == 24


def test_a_shard_that_keeps_failing_is_named_and_the_same_run_can_continue(
    options: Stack, shop: Shop, functions: LambdaServer
) -> None:
    functions.faults = {"2/4": ["killed"] * 5}
    machine = Machine(options)
    ended = machine.run()
    assert (ended["status"], ended["error"]) == ("FAILED", "GalleryIndexError"), ended
    assert "run first is not complete, so nothing was published: 2/4 missing" in ended["cause"]
    assert shop.paths("generations/") == []
    ended = machine.run()
    assert ended["status"] == "SUCCEEDED", (ended.get("error"), ended.get("cause"))
    assert len(shop.load().gallery) == 24


def test_a_mistake_is_not_retried(options: Stack, shop: Shop, functions: LambdaServer) -> None:
    ended = Machine(options).run(run="no/id", shards=1)
    assert (ended["status"], ended["error"]) == ("FAILED", "GalleryIndexError"), ended
    assert "is not a run id" in ended["cause"]
    assert len(functions.invoked) == 2


def test_a_held_index_stops_it(options: Stack, shop: Shop, functions: LambdaServer) -> None:
    shop.rebuild(model=None)
    shop.photos.delete(["00.jpg"])
    shop.rebuild(model=None)
    rollback(shop.index_files)
    ended = Machine(options).run(shards=1)
    assert (ended["status"], ended["error"]) == ("FAILED", "Held"), ended
    assert len(functions.invoked) == 2


# What the interpreter ignores.


def test_the_map_is_distributed_limited_and_tolerant(options: Stack) -> None:
    shards = definition(options)["States"]["Shards"]
    assert shards["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert shards["MaxConcurrencyPath"] == "$.concurrency"
    assert shards["ToleratedFailurePercentage"] == 100


def test_retries_wait_longer_and_longer(options: Stack) -> None:
    timeout = options.properties("ReindexDashscheduledLambdaFunction")["Timeout"]
    for task in tasks(options):
        assert task["TimeoutSeconds"] > timeout
        mistakes, throttled, others = task["Retry"]
        assert mistakes["MaxAttempts"] == 0
        assert others["ErrorEquals"] == ["States.ALL"]
        for each in (throttled, others):
            assert each["BackoffRate"] > 1
            assert each["MaxAttempts"] >= 4
            assert each["JitterStrategy"] == "FULL"


def test_it_exists_only_on_request(dev: Stack, options: Stack) -> None:
    assert dev.of_type("AWS::StepFunctions::StateMachine") == {}
    assert "FillArn" not in dev.outputs
    assert options.outputs["FillArn"] == "<FillStateMachine>"


def test_its_role_may_call_the_function_and_itself_and_nothing_else(options: Stack) -> None:
    role = options.properties("FillRole")
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "states.amazonaws.com"}
    own = "arn:aws:states:eu-west-1:123456789012:{}:the-stack-fill"
    assert permissions(statements(role)) == {
        ("lambda:InvokeFunction", "<ReindexDashscheduledLambdaFunction.Arn>"),
        ("states:StartExecution", own.format("stateMachine")),
        ("states:DescribeExecution", own.format("execution") + ":*"),
        ("states:StopExecution", own.format("execution") + ":*"),
    }
    assert options.properties("FillStateMachine")["StateMachineName"] == "the-stack-fill"
    assert options.properties("FillStateMachine")["RoleArn"] == "<FillRole.Arn>"
