"""A wall clock that a test sets, of one server. Its other clocks stay true."""

import mmap
import pathlib
import struct
import subprocess

from .disk import compiler
from .server import Server

SOURCE = pathlib.Path(__file__).with_name("clock.c")


class WallClock:
    def __init__(self, directory, *flags, store=None):
        library, control = directory / "clock.so", directory / "clock"
        subprocess.run([compiler(), "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
        control.write_bytes(bytes(mmap.PAGESIZE))
        self._file = control.open("r+b")
        self._page = mmap.mmap(self._file.fileno(), 8)
        environment = {"LD_PRELOAD": str(library), "CLOCK_FILE": str(control)}
        self.server = Server(directory / "data", *flags, environment=environment, store=store)

    def set_ahead(self, seconds):
        """By so much of the true time, from now on; negative: back."""
        self._page[0:8] = struct.pack("q", round(seconds * 1e9))

    def close(self):
        self._page.close()
        self._file.close()
