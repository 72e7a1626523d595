"""Takes connections on the ports that a hardened host must not reach.

It is the positive control of the tests of that host's firewall.

Arguments: the addresses to listen on.
"""

import asyncio
import os
import sys

GREETING = {
    22: b"SSH-2.0-lab-sink\r\n",
    25: b"220 sink.lab.test ESMTP\r\n",
    587: b"220 sink.lab.test ESMTP\r\n",
}
TCP = (22, 23, 25, 465, 587, 853, 3306, 5432, 6667, 8080, 8443, 31337)
UDP = (123, 443, 31337)


def greeter(port):
    async def greet(_reader, writer):
        writer.write(GREETING.get(port, b"lab sink\r\n"))
        try:
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        except OSError:
            pass  # the other side went first

    return greet


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.transport.sendto(data, address)


async def main(addresses):
    for port in TCP:
        await asyncio.start_server(greeter(port), addresses, port)
    loop = asyncio.get_running_loop()
    for address in addresses:
        for port in UDP:
            await loop.create_datagram_endpoint(Echo, local_addr=(address, port))
    await asyncio.Event().wait()


six = os.path.exists("/proc/net/if_inet6")
asyncio.run(main([address for address in sys.argv[1:] if six or ":" not in address]))
