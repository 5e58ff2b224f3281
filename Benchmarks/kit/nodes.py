"""Nodes that share a PostgreSQL: a primary, a synchronous standby, and what each costs."""

import http.client
import pathlib
import re
import subprocess
import time

from .process import TICK, Process
from .servers import Pspd
from .tested import tested

TOKEN = "bench-admin-token"


class Database:
    """A primary that waits for its standby, both syncing to the disk; their processor time is counted."""

    SETTINGS = {
        "fsync": "on", "full_page_writes": "on", "shared_buffers": "512MB", "max_wal_size": "4GB", "checkpoint_timeout": "30min",
        "autovacuum": "on",
    }

    def __init__(self, place):
        self.tested = tested("postgres")
        self.postgres = self.tested.Postgres()
        self.primary = self.postgres.make(**self.SETTINGS).start()
        self.standby = self.postgres.make_standby(self.primary, "standby").start()
        self.primary.set(synchronous_standby_names="ANY 1 (standby)")
        self.address = self.tested.uri([self.primary, self.standby])
        subprocess.run([place.binary("pspctl"), "store", "migrate", self.address], check=True, capture_output=True)

    def cpu(self):
        return self.primary_cpu() + _family(self.standby.process.pid)

    def primary_cpu(self):
        return _family(self.primary.process.pid)

    def insert_cost(self, seconds, callers=32):
        """What the servers use for the least that is durable on both, in microseconds: a row of a push's size by an INSERT of its own. It
        tells how fast this machine is at this moment."""
        self.sql("CREATE TABLE IF NOT EXISTS yardstick (id bigserial PRIMARY KEY, body text)")
        script = self.primary.directory.parent / "insert.sql"
        script.write_text("INSERT INTO yardstick (body) VALUES (repeat('x', 400));\n")
        with Cost(self.cpu) as used:
            done = subprocess.run(
                [self.tested.programs() / "pgbench", "-n", "-M", "prepared", "-f", script, "-c", str(callers), "-T", str(seconds), "-h",
                 self.primary.host, "-p", str(self.primary.port), "-U", "postgres", "postgres"], check=True, capture_output=True, text=True)
        return used.per(int(re.search(r"actually processed: (\d+)", done.stdout).group(1)))

    def sql(self, text):
        return self.primary.sql(text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.postgres.__exit__()


def _family(pid):
    """Seconds of processor time of a server and all its processes, ended ones too."""
    seconds = _stat(pid)[0] + _stat(pid)[1]
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            seconds += _stat(child)[0]
        except FileNotFoundError:
            continue  # counted with its parent from now on
    return seconds


def _stat(pid):
    """Its own seconds, and those of its children that have ended."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK, (int(fields[13]) + int(fields[14])) / TICK


class Node(Pspd):
    """One of several push servers over a database."""

    def __init__(self, place, database, name):
        loopback = ("--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--admin", "127.0.0.1:0")
        Process.__init__(
            self, [place.binary("pspd"), *loopback, "--store", database.address, "--node", name, "--admin-token", TOKEN, "--loops", 1],
            place.work / f"{name}.log")
        self.read_ready_line()
        # It serves at once, and is ready when it has joined.
        host, port = self.admin.rsplit(":", 1)
        for _ in range(600):
            connection = http.client.HTTPConnection(host, int(port), timeout=10)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
            connection.close()
            time.sleep(0.05)
        raise TimeoutError(f"{name} did not get ready; see {self.log.name}")

    @property
    def token(self):
        return TOKEN

    def batches(self):
        """How many calls its commits have answered, and how many commits that were."""
        host, port = self.admin.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        text = connection.getresponse().read().decode()
        connection.close()
        return tuple(float(re.search(rf"^psp_store_batch_calls_{name} (\S+)$", text, re.M).group(1)) for name in ("sum", "count"))


class Cost:
    """What a database has used over a block, in microseconds: `with Cost(database) as used: ...; used.per(n)`."""

    def __init__(self, read):
        self.read = read

    def __enter__(self):
        self.before = self.read()
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.microseconds = (self.read() - self.before) * 1e6

    def per(self, units):
        return self.microseconds / units

