"""Processes that are measured, and what they have used."""

import os
import pathlib
import selectors
import signal
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGESIZE")
START_TIMEOUT = 60.0


def _seconds(path):
    fields = pathlib.Path(path).read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Process:
    """A program that runs until it is stopped; as a context manager it never outlives the block."""

    def __init__(self, command, log, stdin=False, environment=None):
        self.command = [str(part) for part in command]
        self.log = open(log, "ab")
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log,
            start_new_session=True, env=environment,
        )
        self.pid = self.process.pid
        self._unread = b""

    def line(self, timeout=START_TIMEOUT):
        """The next line of its standard output."""
        deadline = time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not selector.select(max(0, deadline - time.monotonic())):
                    raise TimeoutError(f"{self.command[0]} said nothing for {timeout} s; see {self.log.name}")
                chunk = os.read(self.process.stdout.fileno(), 1 << 16)
                if not chunk:
                    raise RuntimeError(f"{self.command[0]} has ended; see {self.log.name}")
                self._unread += chunk
        line, self._unread = self._unread.split(b"\n", 1)
        return line.decode()

    def tell(self, text):
        self.process.stdin.write((text + "\n").encode())
        self.process.stdin.flush()

    # What it has used.

    def cpu(self):
        """Seconds of processor time, of all its threads, ended ones included; to the clock tick."""
        return _seconds(f"/proc/{self.pid}/stat")

    def cpu_by_thread(self):
        """The same by thread name."""
        used = {}
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            name = (task / "comm").read_text().strip()
            used[name] = used.get(name, 0) + _seconds(task / "stat")
        return used

    def rss(self):
        """Resident memory in bytes."""
        return int(pathlib.Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * PAGE

    def settle(self, quiet=0.4, timeout=20.0):
        """Waits until it does nothing any more: what it was given is done, in the background too."""
        deadline = time.monotonic() + timeout
        before = self.cpu()
        while time.monotonic() < deadline:
            time.sleep(quiet)
            now = self.cpu()
            if now - before <= 1 / TICK:
                return
            before = now

    # Its end.

    def stop(self, timeout=30.0):
        """SIGTERM; SIGKILL to what does not listen."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()
        self.log.close()

    def kill(self):
        """SIGKILL, as a crash would."""
        os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class CPU:
    """Processor time of a process over a block, in microseconds: `with CPU(server) as used: ...; used.per(n)`."""

    def __init__(self, process):
        self.process = process

    def __enter__(self):
        self.before = self.process.cpu()
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.process.settle()
            self.microseconds = (self.process.cpu() - self.before) * 1e6

    def per(self, units):
        return self.microseconds / units
