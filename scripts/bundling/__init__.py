"""The steps of scripts/bundle.py: lock -> wheels -> pruned dependencies, application -> archive -> checks."""
