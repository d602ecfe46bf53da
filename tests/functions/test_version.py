"""`functions.VERSION` is the one version: everything else reads it or agrees with it."""

import re
import tomllib
from pathlib import Path

from functions import VERSION
from tests.functions.conftest import Service
from tests.functions.http_client import openapi

ROOT = Path(__file__).parents[2]


def test_the_project_reads_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "functions.VERSION"}


def test_the_contract_and_its_example_agree() -> None:
    assert openapi()["info"]["version"] == VERSION
    health = openapi()["paths"]["/healthz"]["get"]["responses"]["200"]["content"]["application/json"]
    assert health["example"]["versions"]["garment-search"] == VERSION


def test_the_newest_heading_of_the_changelog_agrees() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == VERSION


def test_a_running_service_tells_it(service: Service) -> None:
    assert service.get("/healthz").json["versions"]["garment-search"] == VERSION
