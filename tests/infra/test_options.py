"""Everything that is off by default, turned on by the params in tests/infra/conftest.py."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from embeddings.s3_vectors.address import VECTOR_BUCKET_NAME
from tests.infra.stack import Stack

pytestmark = pytest.mark.slow  # packaging takes seconds, once for all tests

OFF = [
    "AccessLog",
    "AlarmTopic",
    "Budget",
    "DeadLettersAlarm",
    "Domain",
    "DomainMapping",
    "FillRole",
    "FillStateMachine",
    "OldestEventAlarm",
    "RebuildsAlarm",
    "RebuildsFilter",
    "ReindexScheduledErrorsAlarm",
    "SearchDurationAlarm",
    "SearchServerErrorsAlarm",
    "SiteAccess",
    "SiteBucket",
    "SiteBucketPolicy",
    "SiteCdn",
    "VectorBucket",
]


def environment(stack: Stack) -> dict[str, str]:
    variables: dict[str, str] = stack.properties("SearchLambdaFunction")["Environment"]["Variables"]
    return variables


def test_nothing_optional_is_deployed_by_default(dev: Stack, prod: Stack, options: Stack) -> None:
    assert not dev.resources.keys() & set(OFF)
    assert dev.resources.keys() == prod.resources.keys()
    assert set(OFF) <= options.resources.keys()
    assert dev.outputs.keys() < options.outputs.keys()


def test_a_private_gallery_is_signed(dev: Stack) -> None:
    assert environment(dev)["SIGNED_URL_SECONDS"] == "3600"
    assert "IMAGE_BASE_URL" not in environment(dev)


def test_a_public_gallery_has_a_base_address(options: Stack) -> None:
    assert environment(options)["IMAGE_BASE_URL"] == "https://images.shop.example"
    assert "SIGNED_URL_SECONDS" not in environment(options)


def test_the_shops_own_bucket_stays_untouched(options: Stack) -> None:
    assert not {"GalleryBucket", "GalleryBucketPolicy"} & options.resources.keys()
    assert environment(options)["GALLERY_URI"] == "s3://shop-photos/2026/"
    assert options.outputs["GalleryUri"] == "s3://shop-photos/2026/"


def test_alarms_are_sent(options: Stack, url: Stack) -> None:
    [subscription] = options.properties("AlarmTopic")["Subscription"]
    assert subscription == {"Protocol": "email", "Endpoint": "ops@shop.example"}
    for stack in (options, url):
        for each in stack.of_type("AWS::CloudWatch::Alarm").values():
            assert each["AlarmActions"] == each["OKActions"] == ["<AlarmTopic>"]


def test_the_budget_warns_before_and_when_it_is_spent(options: Stack, url: Stack) -> None:
    for stack, dollars in ((options, "10"), (url, "50")):
        budget = stack.properties("Budget")
        assert budget["Budget"]["BudgetLimit"] == {"Amount": dollars, "Unit": "USD"}
        assert (budget["Budget"]["BudgetType"], budget["Budget"]["TimeUnit"]) == ("COST", "MONTHLY")
        told = budget["NotificationsWithSubscribers"]
        limits = [(each["Notification"]["NotificationType"], each["Notification"]["Threshold"]) for each in told]
        assert limits == [("ACTUAL", 80), ("FORECASTED", 100)]
        for each in told:
            assert each["Subscribers"] == [{"SubscriptionType": "EMAIL", "Address": "ops@shop.example"}]


def test_a_custom_domain(dev: Stack, options: Stack) -> None:
    domain = options.properties("Domain")
    assert domain["DomainName"] == "search.shop.example"
    [configuration] = domain["DomainNameConfigurations"]
    certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/0f246ca9-0000-0000-0000-000000000000"
    assert configuration["CertificateArn"] == certificate
    assert configuration["SecurityPolicy"] == "TLS_1_2"
    # Without a mapping key, paths stay as they are.
    mapping = {"ApiId": "<HttpApi>", "DomainName": "<Domain>", "Stage": "<HttpApiStage>"}
    assert options.properties("DomainMapping") == mapping
    assert options.outputs["ServiceUrl"] == "https://search.shop.example"
    assert dev.outputs["ServiceUrl"] == "https://<HttpApi>.execute-api.eu-west-1.amazonaws.com"
    assert options.properties("HttpApi")["DisableExecuteApiEndpoint"] is True, "or its limits could be passed by"
    assert dev.properties("HttpApi")["DisableExecuteApiEndpoint"] is False


def test_requests_can_be_logged_without_what_they_look_for(dev: Stack, options: Stack) -> None:
    assert "AccessLogSettings" not in dev.properties("HttpApiStage")
    settings = options.properties("HttpApiStage")["AccessLogSettings"]
    assert settings["DestinationArn"] == "<AccessLog.Arn>"
    logged = json.loads(settings["Format"])
    assert {"id", "time", "ip", "method", "path", "status", "ms"} <= logged.keys()
    assert not [each for each in logged.values() if "query" in each.lower()]
    log = options.properties("AccessLog")
    assert (log["LogGroupName"], log["RetentionInDays"]) == ("/aws/vendedlogs/the-stack-access", 7)


def test_a_function_url_replaces_the_gateway(url: Stack) -> None:
    assert not [name for name, each in url.resources.items() if each["Type"].startswith("AWS::ApiGatewayV2::")]
    [address] = url.of_type("AWS::Lambda::Url").values()
    assert address["AuthType"] == "NONE"
    assert "Cors" not in address, "the application answers preflight requests"
    [alias] = url.of_type("AWS::Lambda::Alias").values()
    function = f"<SearchLambdaFunction.Arn>:{alias['Name']}"
    assert address["TargetFunctionArn"] == function
    public = [each for each in url.of_type("AWS::Lambda::Permission").values() if each["Principal"] == "*"]
    assert {each["Action"] for each in public} == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    for each in public:
        assert each["FunctionName"] == function
        assert each.get("FunctionUrlAuthType") == "NONE" or each.get("InvokedViaFunctionUrl") is True
    assert url.outputs["ServiceUrl"] == "https://searchlambdafunctionurl.example", "no slash, or paths would have two"


def test_origins_that_the_gateway_refuses_are_left_to_the_application(package: Callable[..., Path]) -> None:
    template = package("dev", corsOrigins="https://shop.example,capacitor://localhost")
    stack = Stack(json.loads(template.read_text()))
    assert "CorsConfiguration" not in stack.properties("HttpApi")
    assert environment(stack)["CORS_ORIGINS"] == "https://shop.example,capacitor://localhost"


def test_only_the_cdn_reads_the_page(options: Stack) -> None:
    policy = options.properties("SiteBucketPolicy")["PolicyDocument"]
    [allowed] = [each for each in policy["Statement"] if each["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert (allowed["Action"], allowed["Resource"]) == ("s3:GetObject", "<SiteBucket.Arn>/*")
    cdn = "arn:aws:cloudfront::123456789012:distribution/<SiteCdn>"
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceArn": cdn}}
    distribution = options.properties("SiteCdn")["DistributionConfig"]
    [origin] = distribution["Origins"]
    assert origin["OriginAccessControlId"] == "<SiteAccess.Id>"
    assert distribution["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https"


def test_snapstart_has_a_version_for_the_gateway_to_call(dev: Stack, options: Stack) -> None:
    search = options.properties("SearchLambdaFunction")
    assert search["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    [alias] = options.of_type("AWS::Lambda::Alias").values()
    [integration] = options.of_type("AWS::ApiGatewayV2::Integration").values()
    assert integration["IntegrationUri"] == f"<SearchLambdaFunction.Arn>:{alias['Name']}"
    assert not dev.of_type("AWS::Lambda::Version")
    assert "SnapStart" not in dev.properties("SearchLambdaFunction")


def test_concurrent_searches_are_limited(dev: Stack, prod: Stack, options: Stack) -> None:
    assert prod.properties("SearchLambdaFunction")["ReservedConcurrentExecutions"] == "20"
    assert options.properties("SearchLambdaFunction")["ReservedConcurrentExecutions"] == "50"
    assert "ReservedConcurrentExecutions" not in dev.properties("SearchLambdaFunction")


def test_the_bucket_of_s3_vectors_survives_the_stack(dev: Stack, options: Stack) -> None:
    [bucket] = options.of_type("AWS::S3Vectors::VectorBucket").values()
    assert bucket["EncryptionConfiguration"] == {"SseType": "AES256"}
    assert options.resources["VectorBucket"]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert options.outputs["VectorBucketName"] == bucket["VectorBucketName"]
    assert VECTOR_BUCKET_NAME.fullmatch(bucket["VectorBucketName"])
    for function in ("ReindexLambdaFunction", "ReindexDashscheduledLambdaFunction"):
        given = options.properties(function)["Environment"]["Variables"]
        assert given["VECTOR_BUCKET"] == bucket["VectorBucketName"]
        assert "VECTOR_BUCKET" not in dev.properties(function)["Environment"]["Variables"]
