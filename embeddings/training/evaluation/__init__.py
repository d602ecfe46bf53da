"""Retrieval tasks, metrics and the photos that they are measured on."""
