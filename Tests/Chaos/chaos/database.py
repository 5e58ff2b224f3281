"""PostgreSQL with a synchronous standby, each in a network of its own, and all that can be done to them. Every call waits until it is
done."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from kit.disk import compiler
from kit.postgres import PostgresServer, uri
from kit.server import binary
from kit.waiting import eventually

from .database_faults import DatabaseFaults
from .ending import send_to_all
from .node import KIT

PLACES = {"db1": 5431, "db2": 5432}  # and their ports: a standby is a copy, also of the primary's socket
STANDBY = "standby"  # whichever of the two
ACCESS = ("host all all 198.18.0.0/16 trust", "host replication all 198.18.0.0/16 trust")
# A cut is noticed within seconds on either side.
SETTINGS = {
    "listen_addresses": "*", "synchronous_standby_names": f"ANY 1 ({STANDBY})", "wal_sender_timeout": "3s", "wal_receiver_timeout": "3s",
    "wal_retrieve_retry_interval": "300ms", "tcp_user_timeout": "5s", "max_wal_senders": "8", "wal_keep_size": "256MB",
}
# The database's wall clock, as the store asks for it.
CLOCK = """
CREATE TABLE psp.chaos_clock (shift bigint NOT NULL);
INSERT INTO psp.chaos_clock VALUES (0);
CREATE OR REPLACE FUNCTION psp.wall() RETURNS bigint LANGUAGE plpgsql VOLATILE SECURITY DEFINER AS $$
BEGIN
  RETURN extract(epoch FROM clock_timestamp()) * 1000 + (SELECT shift FROM psp.chaos_clock);
END
$$;
"""
PATIENCE = 120.0  # for what others' faults may delay


class Database(PostgresServer):
    """One of the two."""

    def __init__(self, directory, networks, place, environment):
        network = networks.places[place]
        super().__init__(directory, PLACES[place], networks.hosts[place], network.join, environment)
        self.place = place

    def processes(self):
        """The first is the postmaster."""
        if not self.process:
            return []
        found = [self.process.pid]
        with contextlib.suppress(OSError):
            found += map(int, pathlib.Path(f"/proc/{found[0]}/task/{found[0]}/children").read_text().split())
        return found

    def send(self, number):
        """A signal to all of its processes; those that come meanwhile get it too."""
        send_to_all(self.processes, number)

    def kill(self):
        self.send(signal.SIGKILL)
        if self.process:
            self.process.wait()
        self.process = None

    def wal_receiver(self):
        """Its process, or none."""
        for pid in self.processes():
            with contextlib.suppress(OSError):
                if b"walreceiver" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                    return pid
        return None

    @property
    def has_ended(self):
        return self.process is None or self.process.poll() is not None


class Pair:
    """The primary, and the standby without which nothing is acknowledged. Who is promoted is decided here, by whoever breaks things."""

    places = tuple(PLACES)

    def __init__(self, networks, directory):
        self.networks = networks
        self.logs = directory
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="psp-chaos-", dir="/tmp"))
        shutil.chown(self.directory, "postgres", "postgres")
        self.directory.chmod(0o755)
        self.fault_file = self.directory / "fault"
        self.library = self.directory / "faults.so"
        self.number = 0
        self.primary = self.standby = None

    def _make(self, place):
        self.number += 1
        directory = self.directory / f"{place}-{self.number}"
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        faults = {"LD_PRELOAD": str(self.library), "FAULT_FILE": str(self.fault_file), "FAULT_DIR": str(directory)}
        made = Database(directory, self.networks, place, inherited | faults)
        made.log = self.logs / f"{place}.log"
        return made

    @property
    def uri(self):
        hosts = ",".join(f"{self.networks.hosts[place]}:{port}" for place, port in PLACES.items())
        return f"postgres://postgres@{hosts}/postgres"

    @property
    def settings(self):
        """Of a node."""
        return {"PSP_STORE": self.uri}

    def faults(self, counts, _):
        return DatabaseFaults(self, counts)

    def start(self):
        source = os.path.join(KIT, "faults.c")
        subprocess.run([compiler(), "-shared", "-fPIC", "-O1", "-o", self.library, source, "-ldl"], check=True)
        self.primary = self._make(next(iter(PLACES)))
        self.primary.init(ACCESS, **SETTINGS)
        self.primary.start()
        self.rebuild()
        done = subprocess.run(
            [binary("pspctl"), "store", "migrate", uri([self.primary])], preexec_fn=self.networks.hub.join, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"the tables cannot be made: {done.stderr}")
        self.primary.sql(CLOCK)

    def rebuild(self):
        """A new standby beside the primary, where the last one was."""
        if self.standby:
            self._remove(self.standby)
        place = next(place for place in PLACES if place != self.primary.place)

        def has_copied():
            self.standby = self._make(place)
            try:
                self.standby.copy(self.primary, STANDBY, timeout=20)
                self.standby.start()
                return True
            except (AssertionError, subprocess.TimeoutExpired):  # the network is cut, or the primary has no room
                self._remove(self.standby)
                return False

        eventually(has_copied, lambda: f"no standby can be made: {self.standby.tail()}", timeout=PATIENCE)
        self.catch_up()

    def _remove(self, server):
        server.kill()
        shutil.rmtree(server.directory, ignore_errors=True)

    def catch_up(self):
        """Returns when the standby has everything that the primary has by now."""
        query = f"SELECT count(*) FROM pg_stat_replication WHERE application_name = '{STANDBY}' AND state = 'streaming'"

        def ask(text):
            with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):
                return self.primary.sql(text)[0]

        eventually(lambda: ask("SELECT 1") == "1", lambda: f"the primary does not serve: {self.primary.tail()}", timeout=PATIENCE)
        position = ask("SELECT pg_current_wal_lsn()")
        eventually(
            lambda: ask(f"{query} AND flush_lsn >= '{position}'") == "1",
            lambda: f"the standby does not follow: {self.standby.tail()}",
            timeout=PATIENCE,
        )

    def promote(self):
        """The standby is the primary from now on, and the other one is to be rebuilt."""
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary

    def waiting(self):
        """The processes of calls that wait for the standby."""
        rows = self.primary.sql("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND backend_type = 'client backend'")
        return [int(row) for row in rows]

    def shift_clock(self, milliseconds):
        self.primary.sql(f"SET synchronous_commit = local; UPDATE psp.chaos_clock SET shift = {milliseconds}")

    def fail_disk(self, how):
        """`full`; `None` heals it."""
        if how is None:
            self.fault_file.unlink(missing_ok=True)
        else:
            self.fault_file.write_text(how)
            self.fault_file.chmod(0o644)

    def close(self):
        for server in (self.primary, self.standby):
            if server:
                server.send(signal.SIGCONT)
                server.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
