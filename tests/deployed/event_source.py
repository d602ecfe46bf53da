"""The queue of a bucket's notifications, and what Lambda does between the queue and the function."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import boto3

from tests.deployed.instance import LAMBDA_SECONDS, FunctionError, Instance

MOST_RECEIVES = 3


@dataclass
class Queue:
    """With a dead-letter queue behind it."""

    name: str = field(default_factory=lambda: f"reindex-{secrets.token_hex(4)}")
    client: Any = field(default_factory=lambda: boto3.client("sqs"))

    def __post_init__(self) -> None:
        self.dead_url, dead_arn = self._made(f"{self.name}-dead", {})
        redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": MOST_RECEIVES})
        self.url, self.arn = self._made(self.name, {"RedrivePolicy": redrive, "VisibilityTimeout": "900"})

    def _made(self, name: str, attributes: dict[str, str]) -> tuple[str, str]:
        url = self.client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        arn = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return url, arn

    def send(self, body: str) -> None:
        self.client.send_message(QueueUrl=self.url, MessageBody=body)

    def receive(self) -> list[dict[str, Any]]:
        """All messages that are there, as the records of one event.

        https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
        """
        records = []
        while messages := self._received(self.url):
            records += [
                {
                    "messageId": each["MessageId"],
                    "receiptHandle": each["ReceiptHandle"],
                    "body": each["Body"],
                    "attributes": each["Attributes"],
                    "messageAttributes": {},
                    "md5OfBody": each["MD5OfBody"],
                    "eventSource": "aws:sqs",
                    "eventSourceARN": self.arn,
                    "awsRegion": "us-east-1",
                }
                for each in messages
            ]
        return records

    def dead(self) -> list[str]:
        return [each["Body"] for each in self._received(self.dead_url)]

    def hand_over(self, records: list[dict[str, Any]], function: Instance, seconds: float = LAMBDA_SECONDS) -> int:
        """Invoke the function, delete what it does not report as failed; say how many messages go back.

        https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
        """
        ids = {each["messageId"] for each in records}
        try:
            failures = function.invoke({"Records": records}, seconds)["batchItemFailures"]
            failed = {each["itemIdentifier"] for each in failures}
        except FunctionError:
            failed = ids
        assert failed <= ids, "Lambda takes an unknown id for a failure of the whole batch"
        for each in records:
            message = {"QueueUrl": self.url, "ReceiptHandle": each["receiptHandle"]}
            if each["messageId"] in failed:
                self.client.change_message_visibility(**message, VisibilityTimeout=0)  # Lambda lets it run out
            else:
                self.client.delete_message(**message)
        return len(failed)

    def deliver(self, function: Instance, seconds: float = LAMBDA_SECONDS) -> int:
        """Hand over all messages in one batch; say how many go back."""
        return self.hand_over(self.receive(), function, seconds)

    def _received(self, url: str) -> list[dict[str, Any]]:
        answer = self.client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages
