"""Fixtures that several tests use."""

import os
from collections.abc import Generator

import pytest

# A thread of google-cloud-storage would ask for the bucket, for traces that nobody takes, long after a test's server
# has gone, and its pauses change `random` below hypothesis.
os.environ["DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA"] = "true"

pytest_plugins = ["tests.servers.fixtures", "tests.bundle.fixtures"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """CI installs whatever a test may miss elsewhere, so there a skipped test is a failed one."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report
