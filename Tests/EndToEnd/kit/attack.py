"""Clients that mean no good, on processors that others need more: they run at the lowest priority, as if on a machine of their own."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys

from .proxies import program

FLOOD = pathlib.Path(__file__).with_name("flood.py")


class Attack:
    """A process that goes on until the `with` ends."""

    def __init__(self, directory, command):
        self.command = ["nice", "-n", "19", *map(str, command)]
        self.log = directory / "attack.log"

    def __enter__(self):
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, start_new_session=True)
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def told(self):
        return self.log.read_text(errors="replace")


def slow_http(directory, way, address, target, *, connections=800, rate=200, headers=()):
    """slowhttptest. `way`: H, slow headers; B, a slow body; X, a slow reader, who asks ten times without reading. Each connection says something every
    second. `headers` come with each request, by way of its Cookie, behind which it ends no line."""
    command = [
        program("slowhttptest"), f"-{way}", "-c", connections, "-r", rate, "-i", 1, "-l", 600, "-x", 10, "-u", f"http://{address[0]}:{address[1]}{target}"]
    command += {"H": [], "B": ["-s", 8192], "X": ["-k", 10, "-w", 64, "-y", 256, "-n", 1, "-z", 16]}[way]
    if headers:
        command += ["-j", "\r\n".join(["none", *(f"{name}: {value}" for name, value in headers)])]
    return Attack(directory, command)


def flood(directory, address, way, *, rate=3000, held=3000):
    """Connections to the device listener: see flood.py."""
    return Attack(directory, [sys.executable, FLOOD, *address, rate, held, way])
