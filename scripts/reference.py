"""Make the page that the service shows under /docs, from functions/search/openapi.json and docs/errors.md.

    python scripts/reference.py
    python scripts/reference.py --out reference.html

One HTML file without a script, which needs nothing beside it. It is committed: make it anew after a change of these two
or of scripts/reference.html, its template.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from scripts.cli.command import command_parser, run_command

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "functions" / "search" / "reference.html"

_MARKDOWN = MarkdownIt("js-default")  # escapes HTML
_HEADING = re.compile(r"^## (.+)\n", re.MULTILINE)


class Field(NamedTuple):
    """A value somewhere in a JSON answer."""

    name: str
    """With its way there: "results[].key"."""
    kind: str
    description: str


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = command_parser(__doc__)
    parser.add_argument("--out", type=Path, default=PAGE, help="the file to write (default: the service's own page)")
    options = parser.parse_args(arguments)
    return run_command(lambda: _write(options))


def _write(options: argparse.Namespace) -> None:
    options.out.write_text(reference_page(), encoding="utf-8")
    print(options.out)


def reference_page() -> str:
    """The page's HTML."""
    openapi = json.loads((ROOT / "functions" / "search" / "openapi.json").read_text(encoding="utf-8"))
    about_errors, *errors = _HEADING.split((ROOT / "docs" / "errors.md").read_text(encoding="utf-8"))
    templates = Environment(
        loader=FileSystemLoader(ROOT / "scripts"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters.update(markdown=markdown, inline=inline, pretty=pretty, kind=kind_of)
    resolved = resolve(openapi, openapi)
    responses = resolved["components"]["responses"].values()
    successes = [each["responses"]["200"] for path in resolved["paths"].values() for each in path.values()]
    return templates.get_template("reference.html").render(
        openapi=resolved,
        headers={name: header for each in [*successes, *responses] for name, header in each["headers"].items()},
        fields=lambda schema: list(fields_of(schema)),
        about_errors=about_errors.partition("\n")[2],
        errors=dict(zip(errors[::2], errors[1::2], strict=True)),
        examples={
            slug: example["value"]
            for response in responses
            for slug, example in response["content"]["application/problem+json"]["examples"].items()
        },
    )


def markdown(text: str) -> Markup:
    """HTML of a part of a document; what links to the API's document there is on this page."""
    return Markup(_MARKDOWN.render(text.replace("](api.md", "](")))  # noqa: S704 - made by the escaping renderer


def inline(text: str) -> Markup:
    """HTML of a sentence."""
    return Markup(_MARKDOWN.renderInline(text))  # noqa: S704 - made by the escaping renderer


def pretty(value: Any) -> str:
    """JSON with lists of numbers on one line."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return re.sub(r"\[[\s\d.,-]+\]", lambda numbers: "[" + " ".join(numbers[0][1:-1].split()) + "]", text)


def resolve(part: Any, document: Any) -> Any:
    """The part with all references in it followed, and with `allOf` made one schema."""
    if isinstance(part, list):
        return [resolve(each, document) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        found = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return resolve(found, document)
    whole = {name: resolve(value, document) for name, value in part.items()}
    for each in whole.pop("allOf", []):
        properties = whole.get("properties", {}) | each.get("properties", {})
        whole = {**whole, **each, "properties": properties}
    return whole


def fields_of(schema: dict[str, Any], name: str = "") -> Iterator[Field]:
    """All fields of a resolved schema, in their order, each before those within it."""
    if name:
        yield Field(name, kind_of(schema), schema.get("description", ""))
    if "items" in schema and "properties" in schema["items"]:
        yield from list(fields_of(schema["items"], f"{name}[]"))[1:]
    for each, inner in schema.get("properties", {}).items():
        yield from fields_of(inner, f"{name}.{each}" if name else each)


def kind_of(schema: dict[str, Any]) -> str:
    """What values a resolved schema allows, in short: "integer, 1 to 100"."""
    if "oneOf" in schema:
        return " or ".join(kind_of(each) for each in schema["oneOf"])
    if "enum" in schema:
        return "one of " + ", ".join(schema["enum"])
    if "const" in schema:
        return f"always {schema['const']}"
    kind: str = schema["type"]
    if "minimum" in schema and "maximum" in schema:
        kind += f", {schema['minimum']:g} to {schema['maximum']:g}"
    return kind


if __name__ == "__main__":
    sys.exit(main())
