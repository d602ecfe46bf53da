"""Scripts that run in a fresh process each: `python child.py JSON`; the last line they print is their answer."""
