"""The parts of scripts/benchmark.py: the measurements, the child processes they start, and what these share."""
