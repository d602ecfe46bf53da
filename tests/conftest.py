"""Fixtures that several tests use."""

import os
from collections.abc import Generator

import pytest

pytest_plugins = ["tests.servers.fixtures", "tests.bundle.fixtures"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """CI installs whatever a test may miss elsewhere, so there a skipped test is a failed one."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report
