"""Galleries too large for one function's memory: Amazon S3 Vectors keeps and searches the vectors."""
