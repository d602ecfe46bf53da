"""What holds for all tests."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

# A thread of google-cloud-storage would ask for the bucket, for traces that nobody takes, long after a test's server
# has gone, and its pauses change `random` below hypothesis.
os.environ["DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA"] = "true"

pytest_plugins = ["tests.servers.fixtures", "tests.bundle.fixtures"]

_TESTS = Path(__file__).parent
_GROUPS = {
    "training": "training",  # TensorFlow takes seconds to import, and the training is shared
    "bundle": "bundle",
    "deployed": "bundle",
    "infra": "infra",  # templates by the deploy CLI
    "page": "page",  # a browser and a running site
    "gcp": "gcp",
}
"""Folders whose tests share what takes long to make, the longest first: one worker runs all of a group."""


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in this hook too
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test a group for `--dist loadgroup`: its folder's, or its module."""
    order = [*dict.fromkeys(_GROUPS.values())]
    groups = {item: _group(item) for item in items}
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: order.index(groups[item]) if groups[item] in order else len(order))


def _group(item: pytest.Item) -> str:
    path = item.path.relative_to(_TESTS)
    return _GROUPS.get(path.parts[0], path.with_suffix("").as_posix())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail what is skipped in CI, which installs whatever a test may miss elsewhere."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report
