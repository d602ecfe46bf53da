"""The generated templates are valid and give the service what it needs."""

import io
import re
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from embeddings.rebuild import Outcome
from functions.search.admission import Gate
from functions.search.application import Application
from functions.search.current_generation import CurrentGeneration
from functions.settings import ReindexSettings, SearchSettings
from tests.infra.stack import Stack

pytestmark = pytest.mark.slow  # packaging takes seconds, once for all tests

STAGES = ["dev", "prod", "options", "url"]
WITH_API = ["dev", "prod", "options"]
FUNCTIONS = {
    "SearchLambdaFunction": "functions.aws.search",
    "ReindexLambdaFunction": "functions.aws.reindex",
    "ReindexDashscheduledLambdaFunction": "functions.aws.reindex_scheduled",
}


@pytest.fixture(params=STAGES)
def stack(request: pytest.FixtureRequest, stacks: dict[str, Stack]) -> Stack:
    return stacks[request.param]


@pytest.fixture(params=WITH_API)
def with_api(request: pytest.FixtureRequest, stacks: dict[str, Stack]) -> Stack:
    return stacks[request.param]


@pytest.mark.parametrize("name", STAGES)
def test_cfn_lint_finds_nothing(name: str, templates: dict[str, Path]) -> None:
    from cfnlint.api import lint  # takes seconds

    # W3005: the CLI states dependencies that its references imply.
    assert lint(templates[name].read_text(), config={"ignore_checks": ["W3005"]}) == []


# Functions.


def test_the_handlers_exist(stack: Stack) -> None:
    functions = stack.of_type("AWS::Lambda::Function")
    assert {name: each["Handler"] for name, each in functions.items()} == FUNCTIONS
    assert {each["Runtime"] for each in functions.values()} == {"python3.13"}
    assert {each["Environment"]["Variables"]["OPENBLAS_NUM_THREADS"] for each in functions.values()} == {"1"}


@pytest.mark.parametrize(("name", "architecture"), [("dev", "arm64"), ("prod", "arm64"), ("options", "x86_64")])
def test_architecture(name: str, architecture: str, stacks: dict[str, Stack]) -> None:
    functions = stacks[name].of_type("AWS::Lambda::Function").values()
    assert [each["Architectures"] for each in functions] == [[architecture]] * 3


@pytest.mark.parametrize(("name", "memory"), [("dev", [1024, 1769, 1769]), ("prod", [1769, 1769, 1769])])
def test_memory_and_timeouts(name: str, memory: list[int], stacks: dict[str, Stack]) -> None:
    functions = [stacks[name].properties(each) for each in FUNCTIONS]
    assert [each["MemorySize"] for each in functions] == memory
    assert [each["Timeout"] for each in functions] == [29, 300, 900]


def test_each_function_starts_with_its_environment(stack: Stack, url: Stack) -> None:
    real = {"<IndexBucket>": "index", "<ReindexQueue>": "https://sqs.eu-west-1.amazonaws.com/123456789012/reindex"}
    for name in FUNCTIONS:
        variables = stack.properties(name)["Environment"]["Variables"]
        assert all(isinstance(value, str) for value in variables.values())
        for reference, value in real.items():
            variables = {each: text.replace(reference, value) for each, text in variables.items()}
        if name == "SearchLambdaFunction":
            assert SearchSettings.read(variables).index_uri == "s3://index"
            assert "REINDEX_QUEUE_URL" not in variables
        else:
            settings = ReindexSettings.read(variables)
            assert settings.index_uri == "s3://index"
            assert bool(settings.reindex_queue_url) == (stack is not url), "without events, nobody takes its message"


def test_logs_are_kept_for_the_stages_days(dev: Stack, prod: Stack) -> None:
    for stack, days in ((dev, 7), (prod, 30)):
        groups = stack.of_type("AWS::Logs::LogGroup").values()
        assert [each["RetentionInDays"] for each in groups] == [days] * 3


def test_tracing_is_off_with_its_permissions(dev: Stack, options: Stack) -> None:
    """tests/infra/test_roles.py has the permissions."""
    for stack, mode in ((dev, "PassThrough"), (options, "Active")):
        assert {each["TracingConfig"]["Mode"] for each in stack.of_type("AWS::Lambda::Function").values()} == {mode}


# HTTP.


def test_one_route_leads_everything_to_the_application(with_api: Stack) -> None:
    stack = with_api
    [route] = stack.of_type("AWS::ApiGatewayV2::Route").values()
    assert route["RouteKey"] == "$default"
    [integration] = stack.of_type("AWS::ApiGatewayV2::Integration").values()
    assert integration["PayloadFormatVersion"] == "2.0"
    assert integration["TimeoutInMillis"] > 1000 * stack.properties("SearchLambdaFunction")["Timeout"]
    # With any other name, the stage would become the start of the path.
    assert stack.properties("HttpApiStage")["StageName"] == "$default"


@pytest.mark.parametrize(("name", "rate", "burst"), [("dev", 10, 20), ("prod", 50, 100)])
def test_searches_are_throttled(name: str, rate: int, burst: int, stacks: dict[str, Stack]) -> None:
    settings = stacks[name].properties("HttpApiStage")["DefaultRouteSettings"]
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (rate, burst)


def test_gateway_and_application_have_the_same_cors(with_api: Stack) -> None:
    stack = with_api
    cors = stack.properties("HttpApi")["CorsConfiguration"]
    origins = stack.properties("SearchLambdaFunction")["Environment"]["Variables"]["CORS_ORIGINS"]
    assert cors["AllowOrigins"] == origins.split(",")
    headers = preflight_headers(origins)
    assert cors["AllowMethods"] == headers["Access-Control-Allow-Methods"].split(", ")
    assert cors["AllowHeaders"] == headers["Access-Control-Allow-Headers"].split(", ")
    assert cors["ExposeHeaders"] == headers["Access-Control-Expose-Headers"].split(", ")
    assert cors["MaxAge"] == int(headers["Access-Control-Max-Age"])


def preflight_headers(origins: str) -> dict[str, str]:
    settings = SearchSettings.read(
        {"INDEX_URI": "/nowhere", "IMAGE_BASE_URL": "https://images.example", "CORS_ORIGINS": origins}
    )
    environ: dict[str, Any] = {"REQUEST_METHOD": "OPTIONS", "wsgi.input": io.BytesIO()}
    setup_testing_defaults(environ)
    environ["HTTP_ORIGIN"] = origins.split(",")[0]
    sent: dict[str, str] = {}
    application = Application(settings, CurrentGeneration(settings.index_uri, 60), Gate(1))
    application(environ, lambda _status, headers, *_: sent.update(headers) or (lambda _data: None))
    return sent


# Re-index.


def test_the_queue_delivers_bursts_and_takes_failed_messages_back(dev: Stack, prod: Stack, url: Stack) -> None:
    for stack, seconds in ((dev, 20), (prod, 60), (url, 60)):
        [mapping] = stack.of_type("AWS::Lambda::EventSourceMapping").values()
        assert mapping["EventSourceArn"] == "<ReindexQueue.Arn>"
        assert mapping["FunctionName"] == "<ReindexLambdaFunction.Arn>"
        assert mapping["MaximumBatchingWindowInSeconds"] == seconds
        assert mapping["Enabled"] == (stack is not url), "with events=none nobody polls, which costs"
        assert "ScalingConfig" not in mapping, "any limit makes Lambda poll with five callers in place of two"
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_concurrent_reindexing_can_be_limited(options: Stack) -> None:
    [mapping] = options.of_type("AWS::Lambda::EventSourceMapping").values()
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}


def test_messages_stay_invisible_as_long_as_aws_recommends(stack: Stack) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""
    longest_window = 300
    timeout = stack.properties("ReindexLambdaFunction")["Timeout"]
    assert stack.properties("ReindexQueue")["VisibilityTimeout"] >= 6 * timeout + longest_window


def test_failed_messages_end_in_the_dead_letter_queue(stack: Stack) -> None:
    redrive = stack.properties("ReindexQueue")["RedrivePolicy"]
    assert redrive == {"deadLetterTargetArn": "<ReindexDeadLetters.Arn>", "maxReceiveCount": 5}
    assert stack.properties("ReindexDeadLetters")["MessageRetentionPeriod"] == 14 * 86_400


@pytest.mark.parametrize(("name", "rate"), [("dev", "rate(1 day)"), ("prod", "rate(6 hours)")])
def test_the_schedule_starts_the_full_re_index(name: str, rate: str, stacks: dict[str, Stack]) -> None:
    [rule] = stacks[name].of_type("AWS::Events::Rule").values()
    assert rule["ScheduleExpression"] == rate
    assert [each["Arn"] for each in rule["Targets"]] == ["<ReindexDashscheduledLambdaFunction.Arn>"]
    [asynchronous] = stacks[name].of_type("AWS::Lambda::EventInvokeConfig").values()
    assert asynchronous["FunctionName"] == "<ReindexDashscheduledLambdaFunction>"
    assert asynchronous["MaximumRetryAttempts"] == 1


# Buckets.


def test_the_new_gallery_notifies_the_queue(dev: Stack) -> None:
    gallery = dev.properties("GalleryBucket")
    told = gallery["NotificationConfiguration"]["QueueConfigurations"]
    assert told == [
        {"Event": "s3:ObjectCreated:*", "Queue": "<ReindexQueue.Arn>"},
        {"Event": "s3:ObjectRemoved:*", "Queue": "<ReindexQueue.Arn>"},
        {"Event": "s3:LifecycleExpiration:*", "Queue": "<ReindexQueue.Arn>"},
    ]
    assert dev.resources["GalleryBucket"]["DependsOn"] == ["ReindexQueuePolicy"]
    assert gallery["BucketName"] == "garment-search-dev-gallery-0f246ca9"
    variables = dev.properties("ReindexLambdaFunction")["Environment"]["Variables"]
    assert variables["GALLERY_URI"] == f"s3://{gallery['BucketName']}/"


def test_without_events_the_gallery_tells_nobody(url: Stack) -> None:
    assert "NotificationConfiguration" not in url.properties("GalleryBucket")


def test_buckets_are_private_encrypted_and_retained(stack: Stack) -> None:
    buckets = stack.of_type("AWS::S3::Bucket")
    for name, each in buckets.items():
        assert all(each["PublicAccessBlockConfiguration"].values()), name
        assert len(each["PublicAccessBlockConfiguration"]) == 4
        if name != "ServerlessDeploymentBucket":
            assert stack.resources[name]["DeletionPolicy"] == "RetainExceptOnCreate"
            assert stack.resources[name]["UpdateReplacePolicy"] == "Retain"
            policy = stack.resources[f"{name}Policy"]
            assert (policy["DeletionPolicy"], policy["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
        [rule] = each["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_queues_are_encrypted(stack: Stack) -> None:
    queues = stack.of_type("AWS::SQS::Queue").values()
    assert [each["SqsManagedSseEnabled"] for each in queues] == [True, True]


def test_buckets_and_queues_require_tls(stack: Stack) -> None:
    refused = set()
    for each in [*stack.of_type("AWS::S3::BucketPolicy").values(), *stack.of_type("AWS::SQS::QueuePolicy").values()]:
        for statement in each["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Deny" and statement["Principal"] == "*":
                assert statement["Action"] in ("s3:*", "sqs:*")
                assert str(statement["Condition"]["Bool"]["aws:SecureTransport"]).lower() == "false"
                resources = statement["Resource"]
                refused |= set(resources if isinstance(resources, list) else [resources])
    places = {f"<{name}.Arn>" for kind in ("AWS::S3::Bucket", "AWS::SQS::Queue") for name in stack.of_type(kind)}
    places |= {f"<{name}.Arn>/*" for name in stack.of_type("AWS::S3::Bucket")}
    deployment = {each for each in places if "ServerlessDeploymentBucket" in each}
    assert refused - {"arn:aws:s3:::<ServerlessDeploymentBucket>/*", "arn:aws:s3:::<ServerlessDeploymentBucket>"} == (
        places - deployment
    )


def test_old_versions_are_kept_and_expire(dev: Stack, prod: Stack) -> None:
    for stack in (dev, prod):
        for name, days in (("IndexBucket", "1"), ("GalleryBucket", "7")):
            bucket = stack.properties(name)
            assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
            rules = bucket["LifecycleConfiguration"]["Rules"]
            [rule] = [each for each in rules if "NoncurrentVersionExpiration" in each]
            assert str(rule["NoncurrentVersionExpiration"]["NoncurrentDays"]) == days
            assert rule["Status"] == "Enabled"
            assert rule["ExpiredObjectDeleteMarker"] is True


# Alarms.


def test_without_an_address_there_is_no_alarm_and_no_metric(dev: Stack, prod: Stack) -> None:
    for stack in (dev, prod):
        for kind in ("CloudWatch::Alarm", "Logs::MetricFilter", "SNS::Topic", "Budgets::Budget"):
            assert stack.of_type(f"AWS::{kind}") == {}


@pytest.mark.parametrize(
    ("name", "failed"),
    [
        ("options", ("AWS/ApiGateway", "5xx", "<HttpApi>")),
        ("url", ("AWS/Lambda", "Url5xxCount", "<SearchLambdaFunction>")),
    ],
)
def test_every_alarm_exists(name: str, failed: tuple[str, str, str], stacks: dict[str, Stack]) -> None:
    alarms = stacks[name].of_type("AWS::CloudWatch::Alarm")
    watched = {
        (each["Namespace"], each["MetricName"], *(dimension["Value"] for dimension in each.get("Dimensions", [])))
        for each in alarms.values()
    }
    assert watched == {
        failed,
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "<ReindexDeadLetters.QueueName>"),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", "<ReindexQueue.QueueName>"),
        ("AWS/Lambda", "Errors", "<ReindexDashscheduledLambdaFunction>"),
        ("AWS/Lambda", "Duration", "<SearchLambdaFunction>"),
        ("the-stack", "Rebuilds"),
    }
    slow = alarms["SearchDurationAlarm"]
    assert (slow["ExtendedStatistic"], slow["Threshold"], slow["ComparisonOperator"]) == (
        "p95",
        3000,
        "GreaterThanThreshold",
    )
    for alarm in alarms.keys() - {"SearchDurationAlarm", "RebuildsAlarm"}:
        each = alarms[alarm]
        threshold = 3600 if alarm == "OldestEventAlarm" else 1
        assert (each["Threshold"], each["ComparisonOperator"]) == (threshold, "GreaterThanOrEqualToThreshold"), alarm
        assert each["TreatMissingData"] == "notBreaching"
        assert each["Statistic"] == ("Maximum" if each["Namespace"] == "AWS/SQS" else "Sum")


def test_a_failing_event_is_old_before_its_third_try(options: Stack) -> None:
    again = options.properties("ReindexQueue")["VisibilityTimeout"]
    assert again < options.properties("OldestEventAlarm")["Threshold"] < 2 * again


@pytest.mark.parametrize(("name", "hours"), [("options", 50), ("url", 13)])
def test_a_silent_schedule_raises_an_alarm(name: str, hours: int, stacks: dict[str, Stack]) -> None:
    alarm = stacks[name].properties("RebuildsAlarm")
    assert alarm["Period"] * alarm["EvaluationPeriods"] == hours * 3600
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["TreatMissingData"] == "breaching"
    [counted] = stacks[name].of_type("AWS::Logs::MetricFilter").values()
    assert counted["LogGroupName"] == "<ReindexDashscheduledLogGroup>"
    uncounted = set(re.findall(r'\$\.outcome != "(.+?)"', counted["FilterPattern"]))
    assert set(Outcome) - uncounted == {"published", "unchanged", "dry run"}, "what brings the index up to date"
    [metric] = counted["MetricTransformations"]
    assert (metric["MetricNamespace"], metric["MetricName"]) == (alarm["Namespace"], alarm["MetricName"])
