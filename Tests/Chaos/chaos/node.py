"""One `pspd`, and all that can be done to it from outside. Its settings come by the environment."""

import asyncio
import contextlib
import fcntl
import os
import re
import resource
import signal
import sqlite3
import struct
import subprocess

from kit.disk import compiler
from kit.server import START_TIMEOUT, address, binary

from .history import Node as Happened
from .network import die_with_parent

KIT = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "EndToEnd", "kit")
F_SETPIPE_SZ = 1031
ADMIN_TOKEN = "chaos"
STARTS = 3  # attempts


class Log(asyncio.Protocol):
    """Reads the server's standard error into a file, unless it is stalled."""

    def __init__(self, path):
        self.file = path.open("ab")

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.file.write(data)
        self.file.flush()

    def connection_lost(self, error):
        self.file.close()


class Node:
    is_direct = True  # what is sent to it arrives at it, with nobody in between

    def __init__(self, name, directory, recorder, *, namespace=None, host="127.0.0.1", preload=False, settings=None):
        """In a network of its own, if one is given; `host` is where it is reached."""
        self.name, self.directory, self.recorder, self.namespace, self.host = name, directory, recorder, namespace, host
        self.data = directory / name
        self.log_path = directory / f"{name}.log"
        self.fault_file, self.clock_file = directory / f"{name}.fault", directory / f"{name}.clock"
        self.settings = settings or {}
        self.libraries = self._compile() if preload else []
        self.set_clock(0)
        self.process = self.log = None
        self.http = self.mqtt = self.admin = None
        self.is_up = asyncio.Event()
        self.starting = asyncio.Lock()
        self.offset = 0.0
        self._expected = False  # its end is ours

    def _compile(self):
        """Once for all nodes of a run."""
        libraries = []
        for name in ("faults", "clock"):
            library = self.directory / f"{name}.so"
            if not library.exists():
                command = [compiler(), "-shared", "-fPIC", "-O1", "-o", library, os.path.join(KIT, f"{name}.c"), "-ldl"]
                subprocess.run(command, check=True)
            libraries.append(str(library))
        return libraries

    @property
    def is_shared(self):
        """Whether its store is one that several nodes have."""
        return "PSP_STORE" in self.settings

    def _environment(self):
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("PSP")}
        host = "0.0.0.0" if self.namespace else "127.0.0.1"
        settings = ({} if self.is_shared else {"PSP_DATA": str(self.data)}) | {
            "PSP_ADMIN_TOKEN": ADMIN_TOKEN,
            "PSP_HTTP": f"{host}:0",
            "PSP_MQTT": f"{host}:0",
            "PSP_ADMIN": "127.0.0.1:0",
            **self.settings,
        }
        faults = {
            "LD_PRELOAD": ":".join(self.libraries),
            "FAULT_FILE": str(self.fault_file),
            "FAULT_DIR": str(self.data),
            "CLOCK_FILE": str(self.clock_file),
        }
        return inherited | settings | (faults if self.libraries else {})

    def _before_exec(self):
        die_with_parent()
        if self.namespace:
            self.namespace.join()

    async def start(self):
        """Returns when it serves."""
        async with self.starting:
            for _ in range(STARTS):
                if self.process or await self._start():
                    return
            raise RuntimeError(f"{self.name} does not start: {self.log_path}")

    async def _start(self):
        """Whether it serves."""
        self._expected = False
        reading, writing = os.pipe()
        fcntl.fcntl(writing, F_SETPIPE_SZ, 4096)  # a reader that stalls is felt soon
        self.process = await asyncio.create_subprocess_exec(
            binary("pspd"),
            stdout=subprocess.PIPE,
            stderr=writing,
            env=self._environment(),
            start_new_session=True,
            preexec_fn=self._before_exec,
        )
        os.close(writing)
        loop = asyncio.get_running_loop()
        _, self.log = await loop.connect_read_pipe(lambda: Log(self.log_path), os.fdopen(reading, "rb", 0))
        try:
            line = (await asyncio.wait_for(self.process.stdout.readline(), START_TIMEOUT)).decode()
        except asyncio.TimeoutError:
            line = ""
        ready = re.fullmatch(r"ready http=(\S+) mqtt=(\S+) admin=(\S+)\n", line)
        if not ready:
            self.recorder.note(Happened(self.recorder.now(), self.name, "died", f"did not get ready; said {line!r}"))
            await self._end_at_once(self._take(None))
            return False
        doors = (address(text) for text in ready.groups())
        self.http, self.mqtt, self.admin = ((self.host if host == "0.0.0.0" else host, port) for host, port in doors)
        self.recorder.note(Happened(self.recorder.now(), self.name, "up"))
        self.is_up.set()
        self.watcher = asyncio.create_task(self._watch(self.process))
        return True

    async def _watch(self, process):
        """An end that nobody asked for is noted, and the server is started again."""
        code = await process.wait()
        if not self._expected:
            self.is_up.clear()
            self.process = None
            self.recorder.note(Happened(self.recorder.now(), self.name, "died", f"exit status {code}"))
            await self.start()

    @property
    def pid(self):
        return self.process.pid

    # What can be done to it

    async def kill(self):
        process = self._take("killed")
        if process:
            await self._end_at_once(process)

    @staticmethod
    async def _end_at_once(process):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()

    async def end(self, timeout=15.0):
        """SIGTERM. Its exit status; `None` where it did not end in time and was killed."""
        process = self._take(None)
        if not process:
            return 0
        process.terminate()
        try:
            status = await asyncio.wait_for(process.wait(), timeout)
        except asyncio.TimeoutError:
            await self._end_at_once(process)
            status = None
        text = "did not end after SIGTERM" if status is None else f"exit status {status} after SIGTERM"
        # Where the database does not answer, it cannot keep what it was told: it says so, and ends.
        state = {0: "ended", 1: "unwritten" if self.is_shared else "died"}.get(status, "died")
        self.recorder.note(Happened(self.recorder.now(), self.name, state, text))
        return status

    def _take(self, state):
        process, self.process, self._expected = self.process, None, True
        self.is_up.clear()
        if process and state:
            self.recorder.note(Happened(self.recorder.now(), self.name, state))
        return process

    def stop(self):
        self._signal(signal.SIGSTOP)

    def resume(self):
        self._signal(signal.SIGCONT)

    def _signal(self, number):
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def fail_disk(self, how):
        """`full`, `write`, `sync`; `None` heals it."""
        if how is None:
            self.fault_file.unlink(missing_ok=True)
        else:
            made = self.fault_file.with_suffix(".new")
            made.write_text(how)
            made.rename(self.fault_file)

    def set_clock(self, seconds):
        self.offset = seconds
        mode = "r+b" if self.clock_file.exists() else "wb"
        with self.clock_file.open(mode) as file:
            file.write(struct.pack("q", int(seconds * 1e9)))

    def lock_store(self):
        """Another program holds the store's write lock. Returns how to let go."""
        connection = sqlite3.connect(self.data / "psp.db", timeout=5, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            connection.close()
            raise

        def release():
            connection.execute("ROLLBACK")
            connection.close()

        return release

    def limit_descriptors(self, spare):
        """It may open so many more; `None` takes the limit away."""
        if not self.process:
            return
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            _, hard = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)
            in_use = max(map(int, os.listdir(f"/proc/{self.pid}/fd"))) + 1
            resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (hard if spare is None else min(in_use + spare, hard), hard))

    def stall_log(self):
        self.log.transport.pause_reading()

    def resume_log(self):
        with contextlib.suppress(RuntimeError):
            self.log.transport.resume_reading()

    def has_setting(self, name):
        """Whether this version knows a setting."""
        return name in subprocess.run([binary("pspd"), "--help"], capture_output=True, text=True, check=True).stdout
