"""Galleries beyond one function's memory: vectors in Amazon S3 Vectors, searched there."""
