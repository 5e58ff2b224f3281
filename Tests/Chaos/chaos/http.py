"""A caller's HTTP: one connection that is kept, one request at a time."""

import asyncio
import json
import socket


class NotSent(Exception):
    """No connection: the server has certainly not seen the request."""


class NoAnswer(Exception):
    """Nobody knows what became of the request."""


class Client:
    def __init__(self, network=None):
        self.network = network  # a namespace, or this machine's own
        self.reader = self.writer = self.address = None

    async def call(self, address, method, target, headers, body=None, timeout=10.0):
        """(status, decoded JSON)."""
        if self.writer is None or address != self.address or self.writer.is_closing():
            await self._connect(address)
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        lines = [
            f"{method} {target} HTTP/1.1",
            f"Host: {address[0]}:{address[1]}",
            *(f"{name}: {value}" for name, value in headers),
        ]
        if body is not None:
            lines.append(f"Content-Length: {len(content)}")
        try:
            self.writer.write("\r\n".join([*lines, "", ""]).encode() + content)
            return await asyncio.wait_for(self._answer(), timeout)
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
            self.close()
            raise NoAnswer(f"{type(error).__name__} {error}") from error

    async def _connect(self, address):
        self.close()
        loop = asyncio.get_running_loop()
        made = self.network.socket() if self.network else socket.socket()
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await asyncio.wait_for(loop.sock_connect(made, address), 5)
        except (OSError, asyncio.TimeoutError) as error:
            made.close()
            raise NotSent(str(error)) from error
        self.reader, self.writer = await asyncio.open_connection(sock=made)
        self.address = address

    async def _answer(self):
        status = (await self.reader.readline()).split()
        if len(status) < 2:
            raise ValueError("closed")
        headers = {}
        while (line := await self.reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            headers[name.strip().lower()] = value.strip()
        content = await self.reader.readexactly(int(headers[b"content-length"]))
        if headers.get(b"connection", b"").lower() == b"close":
            self.close()
        return int(status[1]), json.loads(content)

    def close(self):
        if self.writer:
            self.writer.close()
        self.writer = None
