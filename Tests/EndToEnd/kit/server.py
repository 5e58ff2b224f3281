"""`pspd` as a process of its own, on free ports, with a data directory of its own, or with a database of its own."""

import atexit
import contextlib
import http.client
import json
import os
import pathlib
import re
import selectors
import signal
import subprocess
import time

from .postgres import Databases
from .waiting import eventually

ROOT = pathlib.Path(__file__).resolve().parents[3]
START_TIMEOUT = 60.0
# Systemd kills it after 10 s (deploy/systemd/pspd.service), which is ProcessTests' to check; a slow machine may need longer.
STOP_TIMEOUT = 60.0
# By the environment, so that a test's own flag is not a second one.
FREE_PORTS = {f"PSP_{door}": "127.0.0.1:0" for door in ("HTTP", "MQTT", "ADMIN")}


def binary(name):
    """The program under test: by its environment variable, else the debug build (what `make test` builds), else the release build."""
    given = os.environ.get(name.upper())
    candidates = [pathlib.Path(given)] if given else [ROOT / ".build" / kind / name for kind in ("debug", "release")]
    for candidate in candidates:
        if candidate.exists():
            return str(candidate.resolve())
    raise FileNotFoundError(f"no {name}: build it, or name it in {name.upper()}")


# Which store servers have where a test does not say: `make test-end-to-end STORE=postgres`.
USES_POSTGRES = os.environ.get("TEST_STORE", "sqlite") == "postgres"


class Shared:
    """The databases of this run; made when the first server asks for one."""

    _only = None

    @classmethod
    def databases(cls):
        if cls._only is None:
            cls._only = Databases(binary("pspctl"))
            atexit.register(cls._only.close)
        return cls._only


class Server:
    """Starts and ends one server. May be started again after `stop` or `kill`: on the same data, on other ports.

    With a store that nodes share its directory holds what `pspctl` looks for: the token of operators, and where it listens."""

    ADMIN_TOKEN = "a-token-of-the-tests"

    def __init__(self, data, *flags, environment=None, ignore_file_size_signal=False, store=None):
        self.data = pathlib.Path(data)
        self.flags = flags
        # A database's URI; `None`: in its directory, or in a database of its own that goes with it.
        self.store = store
        self.database = None
        self.environment = environment or {}
        self.restore_signals = not ignore_file_size_signal
        self.process = None
        self.http = self.mqtt = self.admin = self.https = self.mqtts = self.admins = None
        self.log = self.data.parent / f"{self.data.name}.log"

    def command(self):
        if USES_POSTGRES and not self.store:
            databases = Shared.databases()
            self.database = databases.make()
            self.store = databases.server.uri(self.database)
        if not self.store:
            return [binary("pspd"), "--data", str(self.data), *self.flags]
        self.data.mkdir(parents=True, exist_ok=True)
        token = self.data / "admin.token"
        if not token.exists():
            token.write_text(self.ADMIN_TOKEN + "\n")
        return [binary("pspd"), "--store", self.store, "--admin-token-file", str(token), *self.flags]

    def start_status(self):
        """Starts it where it cannot serve, and returns its exit status."""
        self._spawn()
        status = self.process.wait(START_TIMEOUT)
        self._forget()
        return status

    def _spawn(self):
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("PSP_")}
        environment = inherited | FREE_PORTS | self.environment
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=subprocess.PIPE, stderr=log, env=environment, start_new_session=True,
                restore_signals=self.restore_signals,
            )

    def start(self, until_ready=True):
        """Returns when it has said that it serves, and takes pushes unless that is not waited for."""
        self._spawn()
        line = self._first_line()
        if not re.fullmatch(r"ready( \w+=\S+)+\n", line):
            self.kill()
            raise AssertionError(f"pspd did not get ready; it said {line!r}\n{self.tail()}")
        doors = dict(re.findall(r"(\w+)=(\S+)", line))
        for name in ("http", "mqtt", "admin", "https", "mqtts", "admins"):
            setattr(self, name, address(doors[name]) if name in doors else None)
        if self.store:
            (self.data / "pspd.json").write_text(json.dumps(doors | {"pid": self.pid}))
            if until_ready:
                eventually(self.is_ready, self.tail)
        return self

    def is_ready(self):
        """Whether it takes pushes."""
        connection = http.client.HTTPConnection(*self.admin, timeout=START_TIMEOUT)
        with contextlib.closing(connection):
            try:
                connection.request("GET", "/readyz")
                return connection.getresponse().status == 200
            except (OSError, http.client.HTTPException):
                assert self.process is None or self.process.poll() is None, self.tail()
                return False

    def _first_line(self):
        deadline = time.monotonic() + START_TIMEOUT
        data = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in data and (left := deadline - time.monotonic()) > 0:
                if not selector.select(left):
                    break
                chunk = os.read(self.process.stdout.fileno(), 4096)
                if not chunk:
                    break
                data += chunk
        return data.decode()

    @property
    def admin_token(self):
        return (self.data / "admin.token").read_text().strip()

    @property
    def pid(self):
        return self.process.pid

    def tail(self, size=4000):
        """The end of its log."""
        return self.log.read_bytes()[-size:].decode(errors="replace") if self.log.exists() else ""

    def stop(self):
        """Asks it to end, and returns its exit status."""
        if not self.process:
            return None
        self.process.terminate()
        try:
            status = self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"pspd did not end within {STOP_TIMEOUT} s of SIGTERM\n{self.tail()}") from None
        self._forget()
        return status

    def kill(self):
        """SIGKILL, to the whole group: nothing stays behind."""
        if not self.process:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self._forget()

    def _forget(self):
        self.process.stdout.close()
        self.process = None
        if self.store:
            (self.data / "pspd.json").unlink(missing_ok=True)

    def published(self):
        """What it tells other programs of this machine in `pspd.json`."""
        return json.loads((self.data / "pspd.json").read_text())

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()
        if self.database:
            Shared.databases().drop(self.database)
            self.database = self.store = None


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)
