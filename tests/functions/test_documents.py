"""What is written about the service is what the code says."""

import ast
import dataclasses
import re
from pathlib import Path

from openapi_spec_validator import validate

from functions import VERSION
from functions.current import CurrentGeneration
from functions.problems import _TABLE
from functions.routes import Routes
from functions.settings import Settings
from functions.upload import FIELD
from tests.functions.http_client import openapi

ROOT = Path(__file__).parents[2]
SETTINGS = Settings.for_search({"INDEX_URI": "/nowhere", "IMAGE_BASE_URL": "https://images.example"})


def document(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def problems() -> dict[str, int]:
    """Slugs and their statuses, from the table and from every place that raises a RequestError."""
    found = {row.slug: row.status for row in _TABLE}
    for source in (ROOT / "functions").glob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "RequestError":
                status, slug = (argument.value for argument in node.args[:2] if isinstance(argument, ast.Constant))
                assert isinstance(status, int)
                assert isinstance(slug, str)
                assert found.setdefault(slug, status) == status, f"{slug} has two statuses"
    return found


def test_every_problem_is_documented_with_its_status() -> None:
    headings = re.findall(r"^## ([a-z-]+)\n(\d{3})\.", document("errors.md"), re.MULTILINE)
    assert {slug: int(status) for slug, status in headings} == problems()
    assert len(headings) == len(problems())


def test_openapi_knows_every_problem() -> None:
    types = openapi()["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
    assert sorted(types) == sorted(f"urn:garment-search:{slug}" for slug in problems())


def test_openapi_names_each_problem_under_its_status() -> None:
    named: dict[str, str] = {}
    for status, name in (
        *(("400", "BadRequest"), ("404", "NotFound"), ("405", "MethodNotAllowed"), ("413", "TooLarge")),
        *(("415", "Unsupported"), ("422", "Damaged"), ("500", "Internal"), ("503", "Unavailable")),
    ):
        text = openapi()["components"]["responses"][name]["description"]
        named |= dict.fromkeys(re.findall(r"`([a-z-]+)`", text), status)
    assert named == {slug: str(status) for slug, status in problems().items()}


def test_openapi_is_valid_and_of_this_version() -> None:
    validate(openapi())
    assert openapi()["info"]["version"] == VERSION


def test_openapi_has_every_route_and_no_other() -> None:
    table = Routes(SETTINGS, CurrentGeneration("/nowhere", 60)).table
    paths = openapi()["paths"]
    assert {path: {method.lower() for method in methods} for path, methods in table.items()} == {
        path: set(operations) for path, operations in paths.items()
    }


def test_the_api_document_names_every_route_parameter_and_header() -> None:
    text = document("api.md")
    for path in openapi()["paths"]:
        assert path in text
    for parameter in openapi()["components"]["parameters"]:
        assert f"`{parameter}`" in text
    assert f"`{FIELD}`" in text
    for header in ("Server-Timing", "X-Request-Id"):
        assert f"`{header}`" in text


def test_every_setting_is_documented_with_its_default() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| .*? \| (.*?) \|", document("settings.md"), re.MULTILINE)
    read = re.findall(r'reading\.get\("([A-Z_]+)"', (ROOT / "functions" / "settings.py").read_text())
    assert [name for name, _ in rows] == read
    assert [name.lower() for name in read] == [field.name for field in dataclasses.fields(Settings)]
    defaults = dict(rows)
    for name in ("REFRESH_SECONDS", "MAX_UPLOAD_BYTES", "MAX_PIXELS"):
        assert int(defaults[name].replace(",", "")) == getattr(SETTINGS, name.lower())
    assert (defaults["CORS_ORIGINS"], SETTINGS.cors_origins) == ("`*`", ("*",))


def test_links_between_documents_lead_somewhere() -> None:
    for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
