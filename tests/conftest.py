"""Fixtures that several tests use."""

pytest_plugins = ["tests.servers.fixtures"]
