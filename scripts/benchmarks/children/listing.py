"""List a bucket once with boto3 alone; tells the seconds."""

import json
import sys
import time

import boto3

given = json.loads(sys.argv[1])
pages = boto3.client("s3").get_paginator("list_objects_v2")
began = time.perf_counter()
count = sum(len(page["Contents"]) for page in pages.paginate(Bucket=given["bucket"], Prefix=given["prefix"]))
print(json.dumps({"seconds": time.perf_counter() - began, "count": count}))
