"""Ports that a test keeps while nobody listens on them: a server may end there and come back.

They are taken from below those that the kernel gives to connections, so that no connection of another test has one. Where the kernel gives
all (`net.ipv4.ip_local_port_range`), one of them has to do.
"""

import functools
import itertools
import os
import pathlib
import random
import socket


def free_port():
    """One of 127.0.0.1 that no other test of this run is given."""
    for port in _ports():
        try:
            with socket.create_server(("127.0.0.1", port)) as taken:
                return taken.getsockname()[1]
        except OSError:  # a program has it
            continue


@functools.cache
def _ports():
    """In turn; each worker of pytest has its own."""
    lowest = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    if lowest < 16384:
        return itertools.repeat(0)
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ports = range(10240 + worker, lowest, workers)
    begin = random.randrange(len(ports))
    return itertools.cycle([*ports[begin:], *ports[:begin]])
