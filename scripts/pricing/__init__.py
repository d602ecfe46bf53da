"""The arithmetic of costs.py: what is measured, the price lists, the bills and their tables."""
