"""Downloads URL to FILE and prints the SHA-256 of what came. Standard library only; Python 3.10 on.

A lost connection is tried again from the start, twice.
"""

import hashlib
import http.client
import sys
import time
import urllib.error
import urllib.request

LARGEST = 1 << 29
url, file = sys.argv[1:]


def fetch():
    digest = hashlib.sha256()
    size = 0
    with urllib.request.urlopen(url, timeout=60) as answer, open(file, "wb") as out:
        while block := answer.read(1 << 16):
            size += len(block)
            if size > LARGEST:
                sys.exit(f"error: {url} has more than {LARGEST >> 20} MiB")
            digest.update(block)
            out.write(block)
        # A body that was cut off ends like a whole one.
        left = getattr(answer, "length", None)
        if left:
            raise http.client.IncompleteRead(b"", left)
    return digest.hexdigest()


for left in (2, 1, 0):
    try:
        print(fetch())
        break
    except urllib.error.HTTPError as error:
        # What is not there is not there a second later.
        if left == 0 or error.code < 500:
            sys.exit(f"error: {url} answers {error.code}")
    except (OSError, http.client.HTTPException) as error:
        if left == 0:
            sys.exit(f"error: cannot download {url}: {getattr(error, 'reason', None) or error}")
    time.sleep(2)
