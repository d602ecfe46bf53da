"""Pictures and figures of galleries, for scripts/query.py and scripts/index_report.py."""
