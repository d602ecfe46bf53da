"""The code that is deployed: the HTTP application, its entry points, and those of the re-index."""

VERSION = "0.1.0"
"""The project's one version: pyproject.toml reads it, and tests hold openapi.json and CHANGELOG.md to it."""
