"""Training batches: augmented views of the photos."""
