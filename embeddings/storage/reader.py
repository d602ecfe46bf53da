"""Reading on the query path: one implementation (obstore) for S3, Google Cloud Storage and a folder."""
