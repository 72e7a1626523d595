"""What every call has in common: who makes it, and what it may answer.

A call tries one thing, leaves nothing behind, and returns (outcome, details): `allowed`, `refused`,
`silent` (nobody said no), `nothing` (there is no such thing here) or `error`. An argument that is
annotated with a table is one of its keys.
"""

import errno
import os
import sys

ROLE = sys.argv[1] if len(sys.argv) > 1 else "launch"
# A word that no other run has, to find what a run left behind.
TOKEN = sys.argv[2] if len(sys.argv) > 2 else "petasos-verify-" + os.urandom(8).hex()

REFUSALS = {
    errno.EPERM,
    errno.EACCES,
    errno.EROFS,
    errno.EBUSY,
    errno.ECONNREFUSED,
    errno.EHOSTUNREACH,
    errno.ECONNRESET,
    errno.ENOSYS,
    errno.ESRCH,
    errno.EAFNOSUPPORT,
    errno.EPROTONOSUPPORT,
    errno.ESOCKTNOSUPPORT,
    errno.ENOENT,
    errno.ENXIO,
    errno.ENOTDIR,
    errno.EPIPE,
}
# Root is refused nothing: what it does not find is not there.
ABSENT = {
    errno.ENOENT,
    errno.EAFNOSUPPORT,
    errno.EPROTONOSUPPORT,
    errno.ESOCKTNOSUPPORT,
    errno.ENOTDIR,
}


def yes(details):
    return "allowed", details


def no(details):
    return "refused", details


def outcome_of(error):
    """What an error of the kernel's means for the caller."""
    number = error.errno or 0
    name = errno.errorcode.get(number, number)
    details = f"{name}: {os.strerror(number)}" if number else str(error)
    if number in (errno.ENETUNREACH, errno.EADDRNOTAVAIL):
        return "nothing", details
    if ROLE == "root" and number in ABSENT:
        return "nothing", details
    return ("refused" if number in REFUSALS else "error"), details
