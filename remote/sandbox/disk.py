"""A command ends when the host's disk gets full: no quota can be had everywhere, but room for the
host itself can be kept."""

import os

from request import Refused

# Seconds between two looks; a fast disk takes a gigabyte in one.
EVERY = 0.25
KEPT = 2 << 30


def refuse_full(place):
    room = os.statvfs(place)
    kept = min(KEPT, room.f_frsize * room.f_blocks // 10)
    if room.f_frsize * room.f_bavail < kept:
        raise Refused(f"the host's disk has less than {kept >> 20} MiB left")
    # Some file systems do not count them.
    if room.f_files and room.f_favail < room.f_files // 20:
        raise Refused("the host's disk has hardly an inode left")
