"""The steps of scripts/bundle.py: lock -> wheels -> pruned dependencies, plus application -> archive -> checks."""
