"""A machine of its own for a member of etcd, a Patroni and its PostgreSQL: processes and paths that nobody else sees."""

import contextlib
import http.client
import json
import os
import pathlib

from .enclosure import Enclosure
from .ending import send_to_all

PATRONI = 8008
# Each program finds the paths that it has on a machine of Debian. What runs here ends with the first process.
PLACES = ("etc/patroni", "run/postgresql", "var/lib/postgresql", "var/lib/etcd")
MACHINE = f"""
set -eu
for place in {" ".join(PLACES)}; do
    mkdir -p "/$place"
    mount --bind "$1/$place" "/$place"
done
as_postgres="setpriv --reuid=postgres --regid=postgres --init-groups --"
$as_postgres etcd >>"$2.etcd.log" 2>&1 &
$as_postgres patroni /etc/patroni/patroni.yml >>"$2.log" 2>&1 &
wait
"""


class Machine(Enclosure):
    def __init__(self, name, directory, logs, networks, environment):
        super().__init__(networks.places[name])
        self.name, self.host, self.hub = name, networks.hosts[name], networks.hub
        self.directory = directory
        self.logs = logs / name
        usual = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/var/lib/postgresql", "LANG": "C.UTF-8"}
        self.environment = usual | environment

    def write(self, place, content, mode=0o600):
        """A file that is there before it starts; the user `postgres` has it."""
        file = self.directory / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(mode)

    def start(self):
        if self.process:
            return
        self.enter(MACHINE, self.directory, self.logs, environment=self.environment)

    def processes(self, *names):
        """Those of these names, or all but the first."""
        first, found = self.first() if self.process else None, []
        if first is None:
            return []
        space = os.readlink(f"/proc/{first}/ns/pid")
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it has ended
                name = (entry / "comm").read_text().strip()
                if os.readlink(entry / "ns/pid") == space and int(entry.name) != first and (not names or name in names):
                    found.append(int(entry.name))
        return found

    def send(self, number, *names):
        """A signal to them; those that come meanwhile get it too."""
        send_to_all(lambda: self.processes(*names), number)

    def ask(self, method, path, body=None, timeout=5):
        """What its Patroni answers; `None` where it does not."""
        connection = http.client.HTTPConnection(self.host, PATRONI)
        try:
            connection.sock = self.hub.socket()
            connection.sock.settimeout(timeout)
            connection.sock.connect((self.host, PATRONI))
            connection.request(method, path, json.dumps(body) if body else None)
            return connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
