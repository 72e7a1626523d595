"""The socket's side: many clients, none of which is trusted, none of which can hold up another."""

import errno
import selectors
import socket
import struct
import time

from .lines import LONGEST

# Connections at once, of all and of one user: another user is always heard.
ALL, OF_ONE = 64, 32
# A client with more answers than this that it did not read is not read from either, and is gone
# when it takes none for so many seconds.
UNREAD, PATIENCE = 64 * 1024, 10
# So much is read from one client before it is the next one's turn.
TURN = 16 * 1024


class Client:
    def __init__(self, connection, pid, uid):
        self.connection, self.pid, self.uid = connection, pid, uid
        self.inbox, self.outbox = bytearray(), bytearray()
        self.ended = False
        self.heard = self.moved = time.monotonic()


class Server:
    """`take(raw, client)` answers a request, and may end the client; `settle()` makes sure of what
    was answered, and says what went wrong; `tick()` does what is due, and says when something is
    again."""

    def __init__(self, listener, allowed, take, settle, tick):
        self.listener, self.allowed = listener, allowed
        self.take, self.settle, self.tick = take, settle, tick
        self.clients = set()
        self.selector = selectors.DefaultSelector()
        listener.setblocking(False)
        self.selector.register(listener, selectors.EVENT_READ)

    def run(self, stop):
        """Until `stop`, a socket, can be read."""
        self.selector.register(stop, selectors.EVENT_READ)
        while True:
            ready = self.selector.select(self._timeout())
            answers = []
            for key, mask in ready:
                if key.fileobj is stop:
                    return
                if key.fileobj is self.listener:
                    self._accept()
                    continue
                if mask & selectors.EVENT_READ:
                    answers += [(key.data, answer) for answer in self._hear(key.data)]
            # One wait for the disk, however many asked.
            failed = self.settle() if answers else None
            for client, answer in answers:
                client.outbox += failed or answer
            for client in {key.data for key, _ in ready if key.data}:
                self._speak(client)

    def _timeout(self):
        now = time.monotonic()
        due = [self.tick()]
        for client in [client for client in self.clients if client.outbox]:
            left = client.moved + PATIENCE - now
            if left <= 0:
                self._drop(client)
            else:
                due.append(left)
        return min((seconds for seconds in due if seconds is not None), default=None)

    def _accept(self):
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        pid, uid, _ = struct.unpack("3i", credentials)
        if uid not in self.allowed or not self._room(uid):
            connection.close()
            return
        connection.setblocking(False)
        client = Client(connection, pid, uid)
        self.clients.add(client)
        self.selector.register(connection, selectors.EVENT_READ, client)

    def _room(self, uid):
        """Whether one more of this user has room: who was silent for long makes it."""
        of_one = [client for client in self.clients if client.uid == uid]
        crowd = (
            of_one if len(of_one) >= OF_ONE else self.clients if len(self.clients) >= ALL else []
        )
        if not crowd:
            return True
        silent = min(crowd, key=lambda client: client.heard)
        if time.monotonic() - silent.heard < 60:
            return False
        self._drop(silent)
        return True

    def _hear(self, client):
        """The answers to what arrived whole."""
        if client not in self.clients or client.ended:
            return []
        try:
            got = client.connection.recv(TURN)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EINTR):
                self._drop(client)
            return []
        client.heard = time.monotonic()
        if not got:
            # What it asked last is still answered.
            client.ended = True
            return []
        client.inbox += got
        *whole, rest = client.inbox.split(b"\n")
        client.inbox = rest
        answers = []
        for line in [*whole, rest] if len(rest) > LONGEST else whole:
            answers.append(self.take(bytes(line), client))
            if client.ended:
                break
        return answers

    def _speak(self, client):
        if client not in self.clients:
            return
        try:
            while client.outbox:
                sent = client.connection.send(client.outbox)
                del client.outbox[:sent]
                client.moved = time.monotonic()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EINTR):
                self._drop(client)
                return
        if client.ended and not client.outbox:
            self._drop(client)
            return
        wanted = selectors.EVENT_WRITE if client.outbox else 0
        if not client.ended and len(client.outbox) <= UNREAD:
            wanted |= selectors.EVENT_READ
        self.selector.modify(client.connection, wanted, client)

    def _drop(self, client):
        self.clients.discard(client)
        self.selector.unregister(client.connection)
        client.connection.close()
