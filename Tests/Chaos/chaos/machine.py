"""A machine of its own for a member of etcd, a Patroni and its PostgreSQL: processes and paths that nobody else sees."""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import subprocess

from .ending import send_to_all
from .network import die_with_parent

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


class Machine:
    def __init__(self, name, directory, logs, networks, environment):
        self.name, self.host, self.network, self.hub = name, networks.hosts[name], networks.places[name], networks.hub
        self.directory = directory
        self.logs = logs / name
        usual = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/var/lib/postgresql", "LANG": "C.UTF-8"}
        self.environment = usual | environment
        self.process = None

    def write(self, place, content, mode=0o600):
        """A file that is there before it starts; the user `postgres` has it."""
        file = self.directory / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(mode)

    def start(self):
        if self.process:
            return
        spaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        command = [*spaces, "sh", "-c", MACHINE, "sh", self.directory, self.logs]
        self.process = subprocess.Popen(
            command, cwd="/", env=self.environment, stdin=subprocess.DEVNULL, start_new_session=True,
            preexec_fn=self._before_exec)

    def _before_exec(self):
        die_with_parent()
        self.network.join()

    def kill(self):
        """As by a loss of power: everything on it at once. Returns when nothing of it runs."""
        if not self.process:
            return
        with contextlib.suppress(ProcessLookupError, TypeError):
            os.kill(self._first(), signal.SIGKILL)  # the system ends all of its name space before this one is gone
        self.process.kill()
        self.process.wait()
        self.process = None

    def _first(self):
        with contextlib.suppress(OSError):
            children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            return int(children[0]) if children else None

    def processes(self, *names):
        """Those of these names, or all but the first."""
        first, found = self._first() if self.process else None, []
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
