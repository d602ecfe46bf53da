"""The products that the gallery's photos show: read from a shop's feed, and stored beside the matrix, row for row."""
