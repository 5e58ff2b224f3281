"""A PostgreSQL of the tests' own: Debian's programs, free ports, its data where its user may be. It ends with the process that started it."""

import contextlib
import itertools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

from .ports import free_port
from .waiting import PATIENCE, eventually

SMALL = {
    "fsync": "off", "full_page_writes": "off", "shared_buffers": "32MB", "max_connections": "200", "max_wal_senders": "4",
    "wal_keep_size": "64MB", "dynamic_shared_memory_type": "mmap", "wal_receiver_status_interval": "1",
    "listen_addresses": "127.0.0.1", "log_min_messages": "fatal",
}
ACCESS = ["local all all trust", "host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"]


def programs():
    """Where they are: `PSP_POSTGRES_BIN`, or the newest of Debian's."""
    if given := os.environ.get("PSP_POSTGRES_BIN"):
        return pathlib.Path(given)
    found = [path.parent for path in pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    assert found, "PostgreSQL is not installed: make deps"
    return max(found, key=lambda path: int(path.parent.name))


def as_its_user(command, *more):
    """PostgreSQL refuses to run as root."""
    user = ["--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *user, *more, "--", *map(str, command)]


def run(command, enter=None, timeout=120):
    done = subprocess.run(as_its_user(command), cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
                          preexec_fn=enter)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


class PostgresServer:
    """One server. What it is given as settings and lines of pg_hba.conf goes before the usual ones."""

    def __init__(self, directory, port=None, host="127.0.0.1", enter=None, environment=None):
        """`host` is where others reach it, and `enter` what its processes call before all else: it may be in a network of its own."""
        self.directory = pathlib.Path(directory)
        self.port = port or free_port()
        self.host, self.enter, self.environment = host, enter, environment
        self.process = None
        self.log = self.directory.with_suffix(".log")

    @classmethod
    def make(cls, directory, access=(), **settings):
        server = cls(directory)
        server.init(access, **settings)
        return server

    def init(self, access=(), **settings):
        """Makes its directory, of an empty server."""
        run([programs() / "initdb", f"--pgdata={self.directory}", "--auth=trust", "--username=postgres", "--no-sync", "--no-locale",
             "--encoding=UTF8", "--no-instructions"])
        self.write("pg_hba.conf", [*access, *ACCESS])
        self.set(**SMALL | settings)
        self.set(port=self.port, unix_socket_directories=self.directory)

    def make_standby(self, directory, name):
        """A standby that follows this one; `synchronous_standby_names` knows it by its name."""
        standby = PostgresServer(directory)
        standby.copy(self, name)
        return standby

    def copy(self, primary, name, timeout=120):
        """Makes its directory, of a standby. It notices soon that a primary has gone: also while it waits for the first word of one,
        for which PostgreSQL has no timeout."""
        alive = "keepalives_idle=3 keepalives_interval=1 keepalives_count=3 tcp_user_timeout=5000"
        source = f"host={primary.host} port={primary.port} user=postgres application_name={name} {alive}"
        run([programs() / "pg_basebackup", f"--pgdata={self.directory}", f"--dbname={source}", "--write-recovery-conf",
             "--wal-method=stream", "--checkpoint=fast", "--no-sync", "--no-manifest"], self.enter, timeout)
        self.set(port=self.port, unix_socket_directories=self.directory)

    def write(self, name, lines):
        """Makes a file of its directory, which nobody else reads. It is there as a whole, as the server removes some when it sees them."""
        file = self.directory / f"{name}.unfinished"
        file.write_text("\n".join(lines) + "\n")
        owner = self.directory.stat()
        os.chown(file, owner.st_uid, owner.st_gid)
        file.chmod(0o600)
        file.rename(self.directory / name)

    def set(self, **settings):
        """One that runs takes them over where it can without a restart."""
        with (self.directory / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        if self.process:
            os.kill(self.process.pid, signal.SIGHUP)

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                as_its_user([programs() / "postgres", "-D", self.directory], "--pdeathsig=QUIT"), cwd="/", stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, preexec_fn=self.enter, env=self.environment)
        eventually(lambda: self._status().startswith(("ready", "standby")) or self.process.poll() is not None, self.tail)
        assert self.process.poll() is None, self.tail()
        return self

    def _status(self):
        with contextlib.suppress(OSError):
            lines = (self.directory / "postmaster.pid").read_text().splitlines()
            return lines[7] if len(lines) > 7 else ""
        return ""

    def tail(self):
        return self.log.read_text()[-4000:] if self.log.exists() else ""

    def stop(self, how=signal.SIGQUIT):
        """Ends it: as after a crash, or with SIGINT in good order. It can be started again."""
        if self.process:
            self.process.send_signal(how)
            self.process.send_signal(signal.SIGCONT)
            self.process.wait(PATIENCE)
            self.process = None

    def pause(self):
        """Has it do nothing, without a word to anybody, until it is stopped."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in (self.process.pid, *map(int, children)):
            os.kill(pid, signal.SIGSTOP)

    def promote(self):
        """Makes a primary of a standby."""
        self.write("promote", [])
        self.process.send_signal(signal.SIGUSR1)
        eventually(lambda: self._status().startswith("ready"), self.tail)

    def sql(self, text, database="postgres"):
        """What psql says of it, a row a line."""
        return run([programs() / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.directory, "-p", self.port, "-U",
                    "postgres", "-d", database, "-c", text]).splitlines()

    def uri(self, database="postgres", user="postgres", **parameters):
        return uri([self], database, user, **parameters)


def uri(servers, database="postgres", user="postgres", **parameters):
    """libpq's address of some servers of which one is the primary."""
    hosts = ",".join(f"{server.host}:{server.port}" for server in servers)
    query = "&".join(f"{name}={value}" for name, value in parameters.items())
    return f"postgres://{user}@{hosts}/{database}" + (f"?{query}" if query else "")


class Postgres:
    """A directory of servers, which goes with the `with`."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="psp-postgres-", dir="/tmp"))
        if os.geteuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")
        self.servers = []
        self.numbers = itertools.count(1)

    def make(self, access=(), **settings):
        self.servers.append(PostgresServer.make(self.directory / str(next(self.numbers)), access, **settings))
        return self.servers[-1]

    def make_standby(self, primary, name):
        self.servers.append(primary.make_standby(self.directory / str(next(self.numbers)), name))
        return self.servers[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def migrate(pspctl, address, *flags):
    """Makes the tables there."""
    clean = {key: value for key, value in os.environ.items() if not re.match("PSP_|PG", key)} | {"LC_ALL": "C.UTF-8"}
    done = subprocess.run([pspctl, "store", "migrate", address, *flags], capture_output=True, text=True, timeout=120, env=clean)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Databases:
    """A server for a whole run of tests, and a database of it for each server of theirs."""

    def __init__(self, pspctl):
        self.postgres = Postgres()
        self.server = self.postgres.make().start()
        self.server.sql("CREATE DATABASE template")
        migrate(pspctl, self.server.uri("template"))
        self.numbers = itertools.count(1)

    def make(self):
        """A fresh one, with the tables. Returns its name."""
        name = f"test{next(self.numbers)}"
        self.server.sql(f"CREATE DATABASE {name} TEMPLATE template")
        return name

    def drop(self, name):
        self.server.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def close(self):
        self.postgres.__exit__()
