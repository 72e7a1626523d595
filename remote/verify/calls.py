"""The calls by name, and how they are made: side by side, each answer a line of JSON."""

import errno
import json
import os
import sys
import threading
import time

from .bench import filled
from .names import dns, lookup, tls
from .net import neighbour, others, ping, speak, tcp, udp
from .paths import any_of, anywhere, create, others_homes, read, rewrite, room, setuid_file
from .patience import patience
from .probe import outcome_of
from .rights import (
    capabilities,
    daemon,
    family,
    kill,
    processes,
    run,
    system,
    trace,
    writable_code,
)
from .sandboxed import sandboxed, script, writer
from .scope import scope

CALLS = {
    call.__name__: call
    for call in (
        any_of,
        anywhere,
        capabilities,
        create,
        daemon,
        dns,
        family,
        kill,
        lookup,
        neighbour,
        others,
        others_homes,
        ping,
        processes,
        read,
        rewrite,
        room,
        run,
        sandboxed,
        scope,
        script,
        setuid_file,
        speak,
        system,
        tcp,
        tls,
        trace,
        udp,
        writable_code,
        writer,
    )
}
# No attack may take longer than this, and all of them together not much longer.
LONGEST = patience(30)
SILENCE = ("silent", "no answer and no refusal")


def tried(attempt, places):
    began = time.monotonic()
    call = filled(attempt["call"], places)
    try:
        outcome, details = CALLS[call["name"]](**call["arguments"])
    except TimeoutError:
        outcome, details = SILENCE
    except OSError as error:
        outcome, details = SILENCE if error.errno == errno.ETIMEDOUT else outcome_of(error)
    except Exception as error:  # a probe that breaks proves nothing
        outcome, details = "error", f"{type(error).__name__}: {error}"
    return {
        "id": attempt["id"],
        "outcome": outcome,
        "detail": details[:4000],
        "seconds": round(time.monotonic() - began, 3),
    }


def attack_all(attempts, places):
    """Makes them all, and ends the process."""
    lock = threading.Lock()

    def one(attempt):
        line = json.dumps(tried(attempt, places))
        with lock:
            print(line, flush=True)

    threads = [threading.Thread(target=one, args=(attempt,), daemon=True) for attempt in attempts]
    for thread in threads:
        thread.start()
    end = time.monotonic() + LONGEST
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    with lock:
        sys.stdout.flush()
        # What still hangs must not hold the end up.
        os._exit(0)
