"""The search function: an HTTP application over the current generation. Keep this file empty: a cold start runs it."""
