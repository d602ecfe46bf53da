"""Search in words: what words mean to a model, and where that lies in its vectors."""
