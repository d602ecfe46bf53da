"""Re-index functions: bucket events and schedules, handed to the rebuild."""
