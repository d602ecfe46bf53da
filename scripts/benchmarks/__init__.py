"""What scripts/benchmark.py measures: one measurement a file; `children` run in processes of their own."""
