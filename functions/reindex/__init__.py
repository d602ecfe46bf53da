"""The re-index functions: they take bucket events and schedules, and start the rebuild."""
