"""Render the API reference from the OpenAPI document and the document about errors."""

import json
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from scripts.api_reference.schemas import allowed_values, fields_of, resolve

_ROOT = Path(__file__).resolve().parents[2]
_MARKDOWN = MarkdownIt("js-default")  # escapes HTML
_HEADING = re.compile(r"^## (.+)\n", re.MULTILINE)


def reference_page() -> str:
    """Return the page's HTML."""
    openapi = json.loads((_ROOT / "functions" / "search" / "openapi.json").read_text(encoding="utf-8"))
    about_errors, *errors = _HEADING.split((_ROOT / "docs" / "errors.md").read_text(encoding="utf-8"))
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters.update(markdown=_markdown, inline=_inline, pretty=_pretty, values=allowed_values)
    resolved = resolve(openapi, openapi)
    responses = resolved["components"]["responses"].values()
    successes = [each["responses"]["200"] for path in resolved["paths"].values() for each in path.values()]
    return templates.get_template("template.html").render(
        openapi=resolved,
        headers={name: header for each in [*successes, *responses] for name, header in each["headers"].items()},
        fields=lambda schema: list(fields_of(schema)),
        about_errors=about_errors.partition("\n")[2],
        errors=dict(zip(errors[::2], errors[1::2], strict=True)),
        examples={
            slug: example["value"]
            for response in responses
            if "content" in response
            for slug, example in response["content"]["application/problem+json"]["examples"].items()
        },
    )


def _markdown(text: str) -> Markup:
    """Render part of a document; its links to docs/api.md lead to the same anchors on this page."""
    return Markup(_MARKDOWN.render(text.replace("](api.md", "](")))  # noqa: S704 - made by the escaping renderer


def _inline(text: str) -> Markup:
    """Render a sentence."""
    return Markup(_MARKDOWN.renderInline(text))  # noqa: S704 - made by the escaping renderer


def _pretty(value: Any) -> str:
    """Format JSON with each list of numbers on one line."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return re.sub(r"\[[\s\d.,-]+\]", lambda numbers: "[" + " ".join(numbers[0][1:-1].split()) + "]", text)
