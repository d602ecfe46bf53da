"""Object storage by URI: `s3://bucket/prefix`, `gs://bucket/prefix` or a local folder.

Two sides, because their costs differ: `reader` (obstore) is what a query pays for at cold start; `writer` (boto3,
google-cloud-storage, the file system) lists and writes for the rebuild.
"""
