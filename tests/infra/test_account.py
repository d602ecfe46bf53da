"""infra/account.js asks the account before a deployment: what it refuses, and what rolls the deployment back."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ASK = """\
const Account = require("./infra/account.js");
const { commands, params, answers } = JSON.parse(require("fs").readFileSync(0));
const asked = [];
const provider = {
  naming: { getStackName: () => "garment-search-prod" },
  getAccountId: async () => "123456789012",
  request: async (service, operation, given) => {
    asked.push([operation, given]);
    const answer = answers[operation];
    if (typeof answer === "string") throw new Error(answer);
    return answer;
  },
};
const serverless = {
  processedInput: { commands },
  service: { custom: { account: params }, provider: {} },
  getProvider: () => provider,
  classes: { Error },
};
const account = new Account(serverless);
account.hooks["before:package:createDeploymentArtifacts"]().then(
  () => console.log(JSON.stringify({ asked, rollback: serverless.service.provider.rollbackConfiguration ?? null })),
  (error) => console.log(JSON.stringify({ asked, refused: error.message })),
);
"""
PARAMS = {"searchConcurrency": "20", "rollbackMinutes": "10", "alarmEmail": "ops@shop.example"}
ARN = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:failed"
ANSWERS = {
    "getAccountSettings": {"AccountLimit": {"ConcurrentExecutions": 1000}},
    "describeStackResource": {"StackResourceDetail": {"PhysicalResourceId": "failed"}},
    "describeAlarms": {"MetricAlarms": [{"AlarmArn": ARN}]},
}


def asked(project: Path, command: str = "deploy", answers: Mapping[str, Any] | None = None, **params: str) -> Any:
    given = {"commands": [command], "params": PARAMS | params, "answers": ANSWERS | dict(answers or {})}
    done = subprocess.run(
        ["node", "-e", ASK], cwd=project, input=json.dumps(given), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_the_alarm_for_failed_searches_rolls_a_deployment_back(project: Path) -> None:
    told = asked(project)
    assert told["rollback"] == {
        "MonitoringTimeInMinutes": 10,
        "RollbackTriggers": [{"Arn": ARN, "Type": "AWS::CloudWatch::Alarm"}],
    }
    stack = {"StackName": "garment-search-prod", "LogicalResourceId": "SearchServerErrorsAlarm"}
    assert told["asked"][1:] == [["describeStackResource", stack], ["describeAlarms", {"AlarmNames": ["failed"]}]]


@pytest.mark.parametrize(
    "missing", ["Stack 'garment-search-prod' does not exist", "Resource X does not exist for stack"]
)
def test_a_first_deployment_has_no_alarm_yet(missing: str, project: Path) -> None:
    assert asked(project, answers={"describeStackResource": missing})["rollback"] is None
    assert asked(project, answers={"describeAlarms": {"MetricAlarms": []}})["rollback"] is None


def test_another_error_is_not_taken_for_a_first_deployment(project: Path) -> None:
    assert "not authorized" in asked(project, answers={"describeStackResource": "not authorized"})["refused"]


@pytest.mark.parametrize("off", [{"rollbackMinutes": "0"}, {"alarmEmail": "none"}])
def test_without_minutes_or_alarm_nothing_is_rolled_back(off: dict[str, str], project: Path) -> None:
    assert asked(project, "deploy", None, **off)["rollback"] is None


@pytest.mark.parametrize(("limit", "most"), [(10, 0), (110, 10), (119, 19)])
def test_a_reservation_that_aws_would_refuse_is_refused_before_the_build(limit: int, most: int, project: Path) -> None:
    small = {"getAccountSettings": {"AccountLimit": {"ConcurrentExecutions": limit}}}
    refused = asked(project, answers=small)["refused"]
    assert f"this account may run {limit} functions at once, of which AWS lets {most} be reserved" in refused
    assert "PARAM_SEARCH_CONCURRENCY=0" in refused
    assert "refused" not in asked(project, answers=small, searchConcurrency="0")


def test_packaging_asks_nothing(project: Path) -> None:
    assert asked(project, "package")["asked"] == []
