"""Connections to a device listener, so many a second, for as long as it runs: python3 flood.py HOST PORT RATE HELD connects|names

`connects` says nothing. `names` sends a CONNECT of a name that nobody has, another one each time. Of those that are open the oldest is closed when there
are more than HELD. Tells one line once a second: how many there were."""

import collections
import contextlib
import select
import socket
import struct
import sys
import time

TICK = 0.002
# Closed without TIME_WAIT: the flood must not run out of ports.
AT_ONCE = struct.pack("ii", 1, 0)


def text(value):
    return struct.pack("!H", len(value)) + value


def connect_packet(name):
    body = text(b"MQTT") + bytes([4, 0xC2]) + struct.pack("!H", 60) + text(b"") + text(name) + text(b"secret")
    return bytes([0x10, len(body)]) + body


def main(host, port, rate, held, way):
    host, port, rate, held = host, int(port), int(rate), int(held)
    # From an address of its own.
    source = ("127.66.0.1", 0)
    sockets, made, begun = collections.deque(), 0, time.monotonic()
    told = begun
    while True:
        now = time.monotonic()
        # What is missed while others have the processor is not made up for.
        for _ in range(int(rate * TICK)):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            one.setblocking(False)
            one.bind(source)
            with contextlib.suppress(BlockingIOError):
                one.connect((host, port))
            sockets.append(one)
            made += 1
            if way == "names":
                # On the loopback it is connected by now, unless the listener's queue is full.
                with contextlib.suppress(OSError):
                    one.send(connect_packet(b"nobody-%d" % made))
            if len(sockets) > held:
                sockets.popleft().close()
        if now - told >= 1:
            print(made, flush=True)
            told = now
        select.select([], [], [], max(0, TICK - (time.monotonic() - now)))


if __name__ == "__main__":
    main(*sys.argv[1:])
