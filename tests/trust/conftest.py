"""The real server and a small gallery, as for the tests of the functions."""

import pytest

from tests.functions.conftest import gallery, index, photos, restored_logging, service
from tests.rebuild.conftest import any_shop, shop

__all__ = ["any_shop", "gallery", "index", "photos", "restored_logging", "service", "shop"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A soak takes minutes: only `-m soak` runs it."""
    if "soak" not in config.option.markexpr:
        soaks = [each for each in items if each.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=soaks)
        items[:] = [each for each in items if each not in soaks]
