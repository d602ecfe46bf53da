"""Serve a bucket `bench` by moto's S3 server on loopback until standard input closes; print the URL.

Arguments: `folders`, by prefix, whose files go into the bucket; `keys`, by prefix, how many tiny objects to invent.
"""

import json
import logging
import sys
from pathlib import Path

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

given = json.loads(sys.argv[1])
logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it prints a line for each request
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
backend.create_bucket("bench", "us-east-1")
for prefix, folder in given.get("folders", {}).items():
    for file in Path(folder).rglob("*"):
        if file.is_file():
            key = backend.put_object("bench", f"{prefix}/{file.relative_to(folder)}", file.read_bytes())
            key.etag  # noqa: B018 - computed now: moto is not safe when several threads want it at once
for prefix, count in given.get("keys", {}).items():
    for number in range(count):
        backend.put_object("bench", f"{prefix}/photo-{number:08}.jpg", b"%d" % number)
print("http://{}:{}".format(*server.get_host_and_port()), flush=True)
sys.stdin.read()
