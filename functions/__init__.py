"""What is deployed and answers: the HTTP application, its entry points, and those of the re-index."""

VERSION = "0.1.0"
