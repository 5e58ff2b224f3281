"""MQTT by hand, for what no client library would send."""

import socket
import struct

from .waiting import PATIENCE

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = 8, 9, 10, 11, 12, 13, 14, 15


def length(number):
    """A variable byte integer."""
    out = bytearray()
    while True:
        number, digit = divmod(number, 128)
        out.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(out)


def text(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return struct.pack("!H", len(raw)) + raw


def packet(first, body=b""):
    return bytes([first]) + length(len(body)) + body


def connect(version, token=None, secret=None, *, client_id="", keepalive=60, clean=True, properties=b"", protocol=b"MQTT", flags=0):
    """A CONNECT. `version` is the level's number: 4 or 5."""
    flags |= (0x80 if token is not None else 0) | (0x40 if secret is not None else 0) | (0x02 if clean else 0)
    body = text(protocol) + bytes([version, flags]) + struct.pack("!H", keepalive)
    if version == 5:
        body += length(len(properties)) + properties
    body += text(client_id)
    for part in (token, secret):
        if part is not None:
            body += text(part)
    return packet(CONNECT << 4, body)


def publish(version, topic, payload, *, qos=1, packet_id=1, properties=b"", flags=0):
    body = text(topic) + (struct.pack("!H", packet_id) if qos else b"")
    if version == 5:
        body += length(len(properties)) + properties
    return packet(PUBLISH << 4 | qos << 1 | flags, body + payload)


def subscribe(version, *filters, packet_id=1, properties=b"", options=1):
    body = struct.pack("!H", packet_id)
    if version == 5:
        body += length(len(properties)) + properties
    return packet(0x82, body + b"".join(text(name) + bytes([options]) for name in filters))


class Wire:
    """A socket that reads whole packets."""

    def __init__(self, server, data=b""):
        self.socket = socket.create_connection(server.mqtt, timeout=PATIENCE)
        self.buffer = b""
        if data:
            self.send(data)

    def send(self, data):
        self.socket.sendall(data)
        return self

    def receive(self, timeout=PATIENCE):
        """The next packet, (first byte, body); `None` when the server has closed."""
        self.socket.settimeout(timeout)
        while True:
            found = self._take()
            if found:
                return found
            try:
                chunk = self.socket.recv(65536)
            except ConnectionResetError:
                chunk = b""
            if not chunk:
                assert not self.buffer, f"closed within a packet: {self.buffer!r}"
                return None
            self.buffer += chunk

    def expect(self, kind):
        """The body of the next packet, which must be of this kind."""
        found = self.receive()
        assert found and found[0] >> 4 == kind, found
        return found[1]

    def rest(self):
        """Everything until the server closes."""
        packets = []
        while (found := self.receive()) is not None:
            packets.append(found)
        return packets

    def _take(self):
        size = shift = 0
        for index in range(1, min(5, len(self.buffer))):
            size |= (self.buffer[index] & 0x7F) << shift
            shift += 7
            if not self.buffer[index] & 0x80:
                end = index + 1 + size
                if len(self.buffer) < end:
                    return None
                found = self.buffer[0], self.buffer[index + 1:end]
                self.buffer = self.buffer[end:]
                return found
        return None

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
