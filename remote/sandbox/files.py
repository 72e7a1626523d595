"""Files that come with a request, put below /work and nowhere else. An earlier command may have
left links in their way: no link is followed, and one in a file's own place is replaced."""

import os

WAY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def put(root, files):
    for parts, mode, data in files:
        folder = os.open(root, WAY)
        try:
            for part in parts[:-1]:
                folder = step(folder, part)
            write(folder, parts[-1], mode, data)
        finally:
            os.close(folder)


def step(folder, part):
    try:
        os.mkdir(part, 0o755, dir_fd=folder)
    except FileExistsError:
        pass
    try:
        return os.open(part, WAY, dir_fd=folder)
    finally:
        os.close(folder)


def write(folder, name, mode, data):
    """Whole or not at all: written beside its place, and renamed."""
    beside = b".petasos-" + os.urandom(8).hex().encode()
    place = os.open(beside, NEW, 0o600, dir_fd=folder)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(place, left) :]
        os.fchmod(place, mode)
        os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        os.unlink(beside, dir_fd=folder)
        raise
    finally:
        os.close(place)
