"""The page that the service shows under /docs: its template, and what fills it."""
