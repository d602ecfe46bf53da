"""What holds for all tests."""

import os
from collections.abc import Generator
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# A thread of google-cloud-storage would ask for the bucket, for traces that nobody takes, long after a test's server
# has gone, and its pauses change `random` below hypothesis.
os.environ["DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA"] = "true"

pytest_plugins = ["tests.servers.fixtures", "tests.bundle.fixtures"]

_GROUPS = {
    "training": "training",  # TensorFlow takes seconds to import, and the training is shared
    "bundle": "bundle",
    "deployed": "bundle",
    "infra": "infra",  # templates by the deploy CLI
    "page": "page",  # a browser and a running site
    "gcp": "gcp",
}
"""Folders whose tests share what takes long to make, the longest first: one worker runs all of a group."""


_SERVERS = {
    *("any_shop", "gcs_server", "s3_server", "storage_uri", "vectors_server"),
    *("cold", "for_a_page", "for_pages", "service"),
}
"""Fixtures that start a server. `make check` leaves out the tests that need one, as moto alone takes seconds."""


class _ByGroup(LoadScopeScheduling):
    """Hands out whole groups, and elsewhere whole modules: their tests may continue from one another.

    xdist's own `--dist loadgroup` marks node ids in a way that pytest 9 no longer sees.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _ByGroup:
    return _ByGroup(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the groups first, so that no worker is left with a long one at the end."""
    for item in items:
        if _SERVERS & {*getattr(item, "fixturenames", ())}:
            item.add_marker(pytest.mark.slow)
    ranks = {group: rank for rank, group in enumerate(dict.fromkeys(_GROUPS.values()))}
    items.sort(key=lambda item: ranks.get(_group(item.nodeid), len(ranks)))


def _group(nodeid: str) -> str:
    module = nodeid.partition("::")[0]
    return _GROUPS.get(module.split("/")[1], module)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail what is skipped in CI, which installs whatever a test may miss elsewhere."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report
