"""JSON schemas of the OpenAPI document, flattened so that a page can list their fields."""

from collections.abc import Iterator
from typing import Any, NamedTuple


class Field(NamedTuple):
    """One value somewhere in a JSON answer."""

    name: str
    """The full path, for example "results[].key"."""
    values: str
    description: str


def resolve(part: Any, document: Any) -> Any:
    """Replace every `$ref` in `part` by what it refers to in `document`, and merge every `allOf` into one schema."""
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
    """List all fields of a resolved schema in order, each one before the fields inside it."""
    if name:
        yield Field(name, allowed_values(schema), schema.get("description", ""))
    if "items" in schema and "properties" in schema["items"]:
        yield from list(fields_of(schema["items"], f"{name}[]"))[1:]
    for each, inner in schema.get("properties", {}).items():
        yield from fields_of(inner, f"{name}.{each}" if name else each)
    others = schema.get("additionalProperties")
    if isinstance(others, dict) and "properties" in others:
        yield from list(fields_of(others, f"{name}.*"))[1:]


def allowed_values(schema: dict[str, Any]) -> str:
    """Describe in a few words which values a resolved schema allows: "integer, 1 to 100"."""
    if "oneOf" in schema:
        return " or ".join(allowed_values(each) for each in schema["oneOf"])
    if "enum" in schema:
        return "one of " + ", ".join(schema["enum"])
    if "const" in schema:
        return f"always {schema['const']}"
    values: str = schema["type"]
    if "minimum" in schema and "maximum" in schema:
        values += f", {schema['minimum']:g} to {schema['maximum']:g}"
    return values
