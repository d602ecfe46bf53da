"""The documents about the service agree with its code."""

import ast
import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from functions.search.current_generation import CurrentGeneration
from functions.search.problems import _TABLE, problem_of
from functions.search.routes import Routes
from functions.search.upload import FIELD
from functions.settings import ReindexSettings, SearchSettings
from tests.functions.conftest import Service
from tests.functions.http_client import errors, openapi
from tests.photos import photo

ROOT = Path(__file__).parents[2]
SETTINGS = SearchSettings.read({"INDEX_URI": "/nowhere", "IMAGE_BASE_URL": "https://images.example"})


def document(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def problems() -> dict[str, int]:
    """Collect slugs and statuses from the table and from every place that raises a RequestError."""
    found = {row.slug: row.status for row in _TABLE}
    for source in (ROOT / "functions").rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "RequestError":
                status, slug = (argument.value for argument in node.args[:2] if isinstance(argument, ast.Constant))
                assert isinstance(status, int)
                assert isinstance(slug, str)
                assert found.setdefault(slug, status) == status, f"{slug} has two statuses"
    return found


def test_every_problem_is_documented_with_its_status() -> None:
    headings = re.findall(r"^## ([a-z-]+)\n\*\*(\d{3})\.\*\*", document("errors.md"), re.MULTILINE)
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


def problem_examples() -> dict[str, dict[str, Any]]:
    return {
        slug: example["value"]
        for response in openapi()["components"]["responses"].values()
        if "content" in response
        for slug, example in response["content"]["application/problem+json"]["examples"].items()
    }


def test_openapi_has_an_example_of_each_problem() -> None:
    statuses = problems()
    examples = problem_examples()
    assert examples.keys() == statuses.keys()
    for slug, example in examples.items():
        assert example["type"] == f"urn:garment-search:{slug}"
        assert (example["status"], example["help"]) == (statuses[slug], f"/docs#{slug}")


def test_the_service_answers_with_the_examples_of_problems(service: Service) -> None:
    red = photo("#800000")
    broken_form = {"Content-Type": "multipart/form-data"}
    answered = [
        service.upload("/v1/search?k=500", red),
        service.ask("POST", "/v1/search", red, broken_form),
        service.upload("/v1/search", red, field="photo"),
        service.upload("/v1/search", b""),
        service.send("/v1/search", bytes(10_000_001)),
        service.upload("/v1/search", b"photo.jpg"),
        service.upload("/v1/search", red[:500]),
        service.send("/v1/search", red, "application/x-www-form-urlencoded"),
        service.get("/v1/similar?key=nothing.jpg"),
        service.get("/v1/similar?product=nothing"),
        service.get("/v1/random?prefix=nothing"),
        service.get("/v2/search"),
        service.get("/v1/search"),
    ]
    expected = problem_examples()
    assert [answer.json for answer in answered] == [expected[answer.problem[1]] for answer in answered]
    of_the_server = {row.slug: row.exception() for row in _TABLE if row.status >= 500}
    for slug, error in of_the_server.items():
        assert expected[slug] == json.loads(problem_of(error).body())
    # The last one, in functions/search/admission.py, depends on how many requests come at once.
    assert expected.keys() - {answer.problem[1] for answer in answered} - of_the_server.keys() == {"busy"}


def examples(part: Any, where: str = "") -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Yield each example of openapi.json: where it is, its value, and the schema beside it."""
    if isinstance(part, list):
        for number, each in enumerate(part):
            yield from examples(each, f"{where}/{number}")
    elif isinstance(part, dict):
        if "schema" in part:
            if "example" in part:
                yield where, part["example"], part["schema"]
            for name, example in part.get("examples", {}).items():
                yield f"{where}/{name}", example["value"], part["schema"]
        for name, each in part.items():
            yield from examples(each, f"{where}/{name}")


def test_openapi_has_an_example_of_everything_that_fits_its_schema() -> None:
    found = list(examples(openapi()))
    assert [(where, wrong) for where, value, schema in found if (wrong := errors(value, schema))] == []
    shown = {where for where, _, _ in found}
    components = openapi()["components"]
    expected = {f"/components/{kind}/{name}" for kind in ("parameters", "headers") for name in components[kind]}
    for path, operations in openapi()["paths"].items():
        for method, operation in operations.items():
            operation_is = f"/paths/{path}/{method}"
            assert operation["x-codeSamples"]
            (answer,) = operation["responses"]["200"]["content"]
            expected.add(f"{operation_is}/responses/200/content/{answer}")
            for kind in operation.get("requestBody", {}).get("content", []):
                expected.add(f"{operation_is}/requestBody/content/{kind}")
    assert expected - shown == set()


def test_openapi_is_valid() -> None:
    from openapi_spec_validator import validate  # takes a second

    validate(openapi())


def test_openapi_has_exactly_the_routes() -> None:
    table = Routes(SETTINGS, CurrentGeneration("/nowhere", 60)).table
    paths = openapi()["paths"]
    assert {path: [route.method.lower()] for path, route in table.items()} == {
        path: list(operations) for path, operations in paths.items()
    }


def test_the_api_document_names_every_route_parameter_and_header() -> None:
    text = document("api.md")
    for path in openapi()["paths"]:
        assert path in text
    for parameter in openapi()["components"]["parameters"]:
        assert f"`{parameter}`" in text
    assert f"`{FIELD}`" in text
    for header in ("Cache-Control", "ETag", "Server-Timing", "X-Request-Id"):
        assert f"`{header}" in text


def test_every_setting_is_documented_with_its_default() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| .*? \| (.*?) \|", document("settings.md"), re.MULTILINE)
    read = re.findall(r'reading\.\w+\("([A-Z_]+)"', (ROOT / "functions" / "settings.py").read_text())
    fields = [field.name for each in (SearchSettings, ReindexSettings) for field in dataclasses.fields(each)]
    assert [{"UNLISTED": "hide_unlisted"}.get(name, name.lower()) for name in read] == fields
    assert [name for name, _ in rows] == list(dict.fromkeys(read))
    defaults = dict(rows)
    for name in ("REFRESH_SECONDS", "MAX_UPLOAD_BYTES", "MAX_PIXELS"):
        assert int(defaults[name].replace(",", "")) == getattr(SETTINGS, name.lower())
    assert (defaults["CORS_ORIGINS"], SETTINGS.cors_origins) == ("`*`", ("*",))
