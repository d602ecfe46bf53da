"""Labelled photos on disk: where they lie, what they show, which part of the split they are in."""
