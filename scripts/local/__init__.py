"""Helpers of `scripts/demo.py`: the service, the page and a gallery on this machine."""
