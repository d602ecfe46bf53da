"""Clients that call a server at the same time, each one request after the other; tells the time of every request."""

import json
import sys
import threading
import time
from http.client import HTTPConnection, HTTPException

given = json.loads(sys.argv[1])
photos = []
for path in given["photos"]:
    with open(path, "rb") as file:
        photos.append(file.read())
times_ms: list[float] = []
refused: list[int] = []
errors: list[str] = []
end = time.monotonic() + given["seconds"]


def client(number: int) -> None:
    """Send requests until the end, starting with the photo of this number."""
    connection = HTTPConnection("127.0.0.1", given["port"], timeout=30)
    headers = {"Content-Type": "image/jpeg"}
    while time.monotonic() < end:
        began = time.perf_counter()
        try:
            connection.request("POST", "/v1/search", photos[number % len(photos)], headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status == 503 and "Retry-After" in answer.headers:
                refused.append(number)
                time.sleep(float(answer.headers["Retry-After"]))
                continue
            if answer.status != 200:
                errors.append(str(answer.status))
        except (OSError, HTTPException) as error:
            errors.append(repr(error))
            connection.close()
        times_ms.append(1000 * (time.perf_counter() - began))
        number += 1


threads = [threading.Thread(target=client, args=(number,)) for number in range(given["clients"])]
began = time.perf_counter()
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
seconds = time.perf_counter() - began
print(json.dumps({"times_ms": times_ms, "refused": len(refused), "errors": errors, "seconds": seconds}))
