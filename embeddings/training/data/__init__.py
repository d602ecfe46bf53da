"""Labelled photos on disk: reading them, what they show, and which part of the split they are in."""
