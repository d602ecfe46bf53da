"""The log: one JSON object per line on standard output, which both clouds' log services read."""

import json
import logging
import sys
from datetime import UTC, datetime

FIELDS = "fields"
"""Pass `extra={FIELDS: {...}}` for values that a query over the logs should find."""


class JsonFormatter(logging.Formatter):
    """Formats a record as JSON, which escapes line breaks: nothing that a client sends can begin a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "severity": record.levelname,
            "message": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info:
            entry["stack"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def configure() -> None:
    """Send this project's log records, and the warnings of everything else, to standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers = [handler]  # Lambda's runtime adds one of its own
    root.setLevel(logging.WARNING)
    for name in ("functions", "embeddings"):
        logging.getLogger(name).setLevel(logging.INFO)
