"""Object storage by URI: `s3://bucket/prefix`, `gs://bucket/prefix` or a local folder.

It has two sides, because their costs differ. A query reads through `reader` (obstore), which starts fast. A rebuild
lists and writes through `writers` (boto3, google-cloud-storage, the file system).
"""
