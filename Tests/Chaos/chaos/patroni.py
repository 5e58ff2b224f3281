"""PostgreSQL under Patroni with deploy/patroni/patroni.yml: a primary and two standbys on three machines, each with a member of etcd
too. Patroni decides who is the primary. Every call waits until it is done."""

import json
import pathlib
import secrets
import shutil
import subprocess
import tempfile

from kit.certificates import Authority
from kit.postgres import programs
from kit.server import ROOT, binary
from kit.waiting import eventually

from .machine import PLACES as PATHS
from .machine import Machine
from .patroni_faults import PatroniFaults

NAMES = ("db1", "db2", "db3")
CONFIGURATION = ROOT / "deploy/patroni/patroni.yml"
PATIENCE = 240.0  # a former primary may have to be copied anew, while other faults go on


def what_is_missing():
    """Why it cannot be run here; `None` if it can."""
    missing = [name for name in ("etcd", "patroni", "unshare", "setpriv") if not shutil.which(name)]
    return f"needs {', '.join(missing)}: deploy/deps.sh patroni" if missing else None


class Patroni:
    places = NAMES

    def __init__(self, networks, directory):
        self.networks, self.hosts = networks, {name: networks.hosts[name] for name in NAMES}
        self.directory, self.logs = pathlib.Path(tempfile.mkdtemp(prefix="psp-chaos-", dir="/tmp")), directory
        self.directory.chmod(0o755)
        self.passwords = {name: secrets.token_hex(8) for name in ("postgres", "replicator", "psp")}
        self.authority = Authority(self.directory / "authority")
        self.password_file = self.directory / "store.password"
        self.password_file.touch(0o600)
        self.password_file.write_text(self.passwords["psp"])
        self.machines = {name: self._machine(name) for name in NAMES}

    def _machine(self, name):
        host = self.hosts[name]
        members = ",".join(f"{each}=http://{address}:2380" for each, address in self.hosts.items())
        environment = {
            "PATRONI_SUPERUSER_PASSWORD": self.passwords["postgres"],
            "PATRONI_REPLICATION_PASSWORD": self.passwords["replicator"],
            "ETCD_NAME": name,
            "ETCD_ENABLE_V2": "true",
            "ETCD_DATA_DIR": "/var/lib/etcd/psp",
            "ETCD_INITIAL_CLUSTER": members,
            "ETCD_INITIAL_ADVERTISE_PEER_URLS": f"http://{host}:2380",
            "ETCD_LISTEN_PEER_URLS": f"http://{host}:2380",
            "ETCD_ADVERTISE_CLIENT_URLS": f"http://{host}:2379",
            "ETCD_LISTEN_CLIENT_URLS": f"http://{host}:2379",
        }
        machine = Machine(name, self.directory / name, self.logs, self.networks, environment)
        pair = self.authority.issue(name, names=f"subjectAltName=IP:{host}\n")
        machine.write("etc/patroni/patroni.yml", self.configuration(name))
        machine.write("etc/patroni/db-ca.pem", self.authority.certificate.read_text())
        machine.write("etc/patroni/db.pem", pair.certificate.read_text())
        machine.write("etc/patroni/db.key", pair.key.read_text())
        for place in PATHS:
            (machine.directory / place).mkdir(parents=True, exist_ok=True)
        version = programs().parent.name
        (machine.directory / "var/lib/postgresql" / version).mkdir()
        for path in machine.directory.rglob("*"):
            shutil.chown(path, "postgres", "postgres")
        return machine

    def configuration(self, name):
        """That of deploy/, with this name, these addresses and this machine's PostgreSQL."""
        text = CONFIGURATION.read_text().replace("name: db1", f"name: {name}")
        text = text.replace("postgresql/15/", f"postgresql/{programs().parent.name}/")
        for number, host in enumerate(self.hosts.values(), 21):
            text = text.replace(f"192.0.2.{number}:2379", f"{host}:2379")
        text = text.replace("192.0.2.21", self.hosts[name]).replace("192.0.2.0/24", "198.18.0.0/16")
        assert "192.0.2" not in text, text
        return text

    @property
    def uri(self):
        return f"postgres://psp@{','.join(self.hosts.values())}/psp?sslmode=verify-full&sslrootcert={self.authority.certificate}"

    @property
    def settings(self):
        """Of a node."""
        return {"PSP_STORE": self.uri, "PSP_STORE_PASSWORD_FILE": str(self.password_file)}

    def faults(self, counts, cuts):
        return PatroniFaults(self, counts, cuts)

    def start(self):
        for machine in self.machines.values():
            machine.start()
        self.become_whole()
        self.sql(f"CREATE ROLE psp LOGIN PASSWORD '{self.passwords['psp']}'")
        self.sql("CREATE DATABASE psp OWNER psp")
        command = [binary("pspctl"), "store", "migrate", self.uri, "--password-file", self.password_file]
        done = subprocess.run(command, preexec_fn=self.networks.hub.join, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"the tables cannot be made: {done.stderr}")

    # Who is what

    def members(self):
        """What every Patroni says of the members, if all say the same; else nothing."""
        views = []
        for machine in self.machines.values():
            answer = machine.ask("GET", "/cluster")
            members = json.loads(answer).get("members", []) if answer else []
            views.append({member["name"]: member for member in members})
        roles = [{name: member["role"] for name, member in view.items()} for view in views]
        return views[0] if all(each == roles[0] for each in roles) else {}

    def _of_role(self, role):
        return [self.machines[name] for name, member in self.members().items() if member["role"] == role]

    def one(self, role):
        """The machine of a role that one has."""
        return eventually(lambda: self._of_role(role), lambda: f"nobody is {role}: {self.members()}", PATIENCE, 0.5)[0]

    @property
    def primary(self):
        return self.one("leader")

    @property
    def standby(self):
        return self.one("sync_standby")

    def become_whole(self):
        """Returns when a primary has two standbys that have everything it had by now, one of them synchronous."""
        eventually(self._is_whole, lambda: f"Patroni does not become whole: {self.members()}", PATIENCE, 1)
        position = eventually(lambda: self.sql("SELECT pg_current_wal_lsn()"), "the primary does not serve", PATIENCE, 1)
        query = f"SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND flush_lsn >= '{position}'"
        eventually(lambda: self.sql(query) == "2", "the standbys do not follow", PATIENCE, 0.5)

    def _is_whole(self):
        members = self.members().values()
        roles = sorted(member["role"] for member in members)
        states = {(member["state"], member.get("timeline")) for member in members}
        return (
            roles == ["leader", "replica", "sync_standby"]
            and len(states) == 1
            and states.pop()[0] == "running"
            and self.sql("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "2"
        )

    def sql(self, text):
        """What the primary answers; `None` where it does not."""
        server = f"host={self.primary.host} user=postgres dbname=postgres connect_timeout=5"
        environment = {
            "PGPASSWORD": self.passwords["postgres"],
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": str(self.authority.certificate),
        }
        command = [programs() / "psql", "-XqAt", "-c", text, server]
        enter = self.networks.hub.join
        try:
            done = subprocess.run(command, env=environment, preexec_fn=enter, capture_output=True, text=True, timeout=20)
        except subprocess.TimeoutExpired:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    def close(self):
        for machine in self.machines.values():
            machine.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
