"""The complete permissions of each function."""

from typing import Any

import pytest

from tests.infra.stack import Stack

pytestmark = pytest.mark.slow  # packaging takes seconds, once for all tests

Permission = tuple[str, str]

INDEX = "<IndexBucket.Arn>"
GALLERY = "arn:aws:s3:::garment-search-dev-gallery-0f246ca9"
QUEUE = "<ReindexQueue.Arn>"

READ_INDEX = {("s3:GetObject", f"{INDEX}/*"), ("s3:ListBucket", INDEX)}
WRITE_INDEX = {("s3:PutObject", f"{INDEX}/*"), ("s3:DeleteObject", f"{INDEX}/*")}
READ_GALLERY = {("s3:GetObject", f"{GALLERY}/*")}
LIST_GALLERY = {("s3:ListBucket", GALLERY)}
TAKE_MESSAGES = {(f"sqs:{each}", QUEUE) for each in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")}
SEND_MESSAGES = {("sqs:SendMessage", QUEUE)}
VECTORS = "<VectorBucket.VectorBucketArn>"
ASK_VECTORS = {(f"s3vectors:{each}", f"{VECTORS}/index/*") for each in ("QueryVectors", "GetVectors")}
WRITE_VECTORS = {
    (f"s3vectors:{each}", f"{VECTORS}/index/*")
    for each in ("CreateIndex", "GetIndex", "DeleteIndex", "ListVectors", "GetVectors", "PutVectors", "DeleteVectors")
} | {("s3vectors:ListIndexes", VECTORS)}
TRACE = {("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")}


def log(group: str) -> set[Permission]:
    return {("logs:CreateLogStream", f"<{group}.Arn>"), ("logs:PutLogEvents", f"<{group}.Arn>")}


ALLOWED = {
    "SearchRole": READ_INDEX | READ_GALLERY | log("SearchLogGroup"),
    "ReindexRole": READ_INDEX
    | WRITE_INDEX
    | READ_GALLERY
    | LIST_GALLERY
    | TAKE_MESSAGES
    | SEND_MESSAGES
    | log("ReindexLogGroup"),
    "ReindexScheduledRole": READ_INDEX
    | WRITE_INDEX
    | READ_GALLERY
    | LIST_GALLERY
    | SEND_MESSAGES
    | log("ReindexDashscheduledLogGroup"),
}
ROLES = {
    "SearchLambdaFunction": "<SearchRole.Arn>",
    "ReindexLambdaFunction": "<ReindexRole.Arn>",
    "ReindexDashscheduledLambdaFunction": "<ReindexScheduledRole.Arn>",
}


def listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def permissions(statements: list[dict[str, Any]]) -> set[Permission]:
    return {
        (action, resource)
        for each in statements
        if each["Effect"] == "Allow"
        for action in listed(each["Action"])
        for resource in listed(each["Resource"])
    }


def statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    assert "ManagedPolicyArns" not in role
    return [each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]]


def test_each_function_has_its_own_role(dev: Stack) -> None:
    functions = dev.of_type("AWS::Lambda::Function")
    assert {name: each["Role"] for name, each in functions.items()} == ROLES
    roles = dev.of_type("AWS::IAM::Role")
    assert roles.keys() == ALLOWED.keys()
    assert dev.of_type("AWS::IAM::Policy") == dev.of_type("AWS::IAM::ManagedPolicy") == {}
    for each in roles.values():
        [trust] = each["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


@pytest.mark.parametrize("role", ALLOWED)
def test_each_role_allows_this_and_nothing_else(role: str, dev: Stack) -> None:
    assert permissions(statements(dev.properties(role))) == ALLOWED[role]


def test_the_search_cannot_read_a_public_gallery(options: Stack) -> None:
    allowed = permissions(statements(options.properties("SearchRole")))
    assert allowed == ALLOWED["SearchRole"] - READ_GALLERY | ASK_VECTORS | TRACE


def test_a_boundary_holds_for_every_role(dev: Stack, options: Stack) -> None:
    boundaries = [each["PermissionsBoundary"] for each in options.of_type("AWS::IAM::Role").values()]
    assert boundaries == ["arn:aws:iam::123456789012:policy/boundary"] * 4
    assert not [each for each in dev.of_type("AWS::IAM::Role").values() if "PermissionsBoundary" in each]


def test_the_shops_own_gallery_is_readable_under_its_prefix_only(options: Stack) -> None:
    for role in ("ReindexRole", "ReindexScheduledRole"):
        allowed = permissions(statements(options.properties(role)))
        assert (
            allowed
            == ALLOWED[role] - READ_GALLERY - LIST_GALLERY
            | {
                ("s3:GetObject", "arn:aws:s3:::shop-photos/2026/*"),
                ("s3:ListBucket", "arn:aws:s3:::shop-photos"),
                ("s3:GetObject", "arn:aws:s3:::shop-feeds/today/products.csv"),
            }
            | WRITE_VECTORS
            | TRACE
        )


@pytest.mark.parametrize("name", ["dev", "prod", "options", "url"])
def test_no_action_and_no_bucket_is_a_wildcard(name: str, stacks: dict[str, Stack]) -> None:
    found = [statements(each) for each in stacks[name].of_type("AWS::IAM::Role").values()]
    for kind in ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy"):
        found += [each["PolicyDocument"]["Statement"] for each in stacks[name].of_type(kind).values()]
    for each in found:
        for action, resource in permissions(each) - TRACE:
            assert "*" not in action
            # Every start makes another execution.
            end = ":*" if action.endswith("Execution") else "/*"
            assert "*" not in resource.removesuffix(end), f"{action} on {resource}"


@pytest.mark.parametrize(
    ("name", "buckets"),
    [("dev", [GALLERY]), ("options", ["arn:aws:s3:::shop-photos", "arn:aws:s3:::shop-feeds"])],
)
def test_only_gallery_and_feed_may_send_to_the_queue(name: str, buckets: list[str], stacks: dict[str, Stack]) -> None:
    policy = stacks[name].properties("ReindexQueuePolicy")["PolicyDocument"]
    [allowed] = [each for each in policy["Statement"] if each["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "s3.amazonaws.com"}
    assert (allowed["Action"], allowed["Resource"]) == ("sqs:SendMessage", QUEUE)
    assert allowed["Condition"] == {
        "ArnEquals": {"aws:SourceArn": buckets},
        "StringEquals": {"aws:SourceAccount": "123456789012"},
    }
