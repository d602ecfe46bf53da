"""What scripts/benchmark.py measures: one measurement a file, each with a function `measure`."""
