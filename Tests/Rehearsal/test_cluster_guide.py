"""docs/cluster.md, by somebody who does just what its blocks of code say: from nothing to three nodes, through the loss of the primary, to
a backup and back.

Machines are namespaces with the paths of Debian's packages; a block's comments say where it is run. Each test goes on where the one
before has ended.
"""

import json
import pathlib
import re

import pytest

from kit.postgres import programs
from kit.server import binary
from kit.waiting import eventually
from rehearsal.guide import Guide, commands
from rehearsal.machines import ELSEWHERE, Machines, why_none

VERSION = programs().parent.name
DATABASES, NODES = ("db1", "db2", "db3"), ("psp-1", "psp-2", "psp-3")
PASSWORDS = {"psp": "of-the-nodes", "replicator": "of-the-standbys"}
HERE = ELSEWHERE | {
    "10.0.0.0/24": "198.18.0.0/16", ":PASSWORD'": f":{PASSWORDS['replicator']}'", "postgresql/15/main": f"postgresql/{VERSION}/main",
    "pg_ctlcluster 15 main": f"pg_ctlcluster {VERSION} main",
}
ADMIN = "--admin 127.0.0.1:8081 --admin-token-file /mnt/pspd/admin.token"
SET_UP, DATABASE, STANDBYS, BACKUP = "Set up", "The database", "Standbys without Patroni", "Backup"
# What needs systemd, and what test_copy does.
APART = (f"{SET_UP}: # /etc/systemd", "Moving from the embedded store: ")


class Site:
    """Some machines, the guide that is followed on them, and what nodes are called to do."""

    def __init__(self, machines):
        self.machines, self.guide = machines, Guide("cluster.md", HERE, APART)
        self.nodes = {}
        self.tasks = []
        self.count = 0

    def boot(self, *names):
        for name in names:
            machine = self.machines.boot(name)
            eventually(lambda: machine.is_ready, f"{name} is up")

    def run(self, name, text, user="root", **options):
        return self.machines.all[name].run(text, user, **options)

    def as_postgres(self, name, text, **options):
        return self.run(name, text, "postgres", **options)

    def sql(self, name, text):
        return self.as_postgres(name, f"psql -XAtq -c \"{text}\"").splitlines()

    def server(self, name, what):
        self.as_postgres(name, f"pg_ctlcluster {VERSION} main {what}")

    def make_standby(self, name, primary, anew=False):
        """`anew`: it had been one before."""
        changes = [("host=db1", f"host={primary}"), ("application_name=db2", f"application_name={name}"), ("--slot db2", f"--slot {name}")]
        text = self.guide.take(STANDBYS, "mv /var/lib/postgresql", changes)
        self.as_postgres(name, ("rm -r /var/lib/postgresql/*/main.before; " if anew else "") + text)
        others = ", ".join(each for each in DATABASES if each != name)
        self.as_postgres(name, self.guide.take(STANDBYS, "whom it waits for", [("db1, db3", others)]))
        looks = self.guide.take(STANDBYS, "on db1: db2, streaming").splitlines()
        eventually(lambda: f"{name} | streaming" in spaced(self.as_postgres(primary, looks[0])), f"{name} follows {primary}")
        return looks[1]

    def name_standbys(self, primary, command, *names):
        """That writes wait for one of them."""
        self.as_postgres(primary, naming(command, *names))
        for name in names:
            eventually(
                lambda: self.sql(primary, f"SELECT sync_state FROM pg_stat_replication WHERE application_name = '{name}'") == ["quorum"],
                f"{primary} waits for {name}")

    def look_at_hosts(self):
        """Each is as it should be."""
        told = self.run(NODES[0], self.guide.take(SET_UP, "where the nodes will run")).splitlines()
        assert len(told) == len(DATABASES) and all(line.startswith("ok ") for line in told), told

    def start_nodes(self):
        command = self.guide.take(SET_UP, "each node").splitlines()
        for name in NODES:
            self.nodes[name] = self.machines.all[name].start(command[0].replace("psp-1", name), self.log(name))
        self.wait_for_nodes()
        serving = eventually(lambda: all_serve(self.run(NODES[0], command[1])), "all nodes serve")
        assert all(name in serving for name in NODES), serving

    def end_nodes(self):
        for name, node in self.nodes.items():
            self.run(name, "pkill -TERM -x pspd")
            assert node.wait(60) == 0, self.tail(name)

    def wait_for_nodes(self):
        """Until each takes pushes."""
        for name in NODES:
            eventually(lambda: self.is_ready(name), lambda: self.tail(name))

    def log(self, name):
        return self.machines.directory / f"{name}.log"

    def tail(self, name):
        return self.log(name).read_text()[-4000:]

    def is_ready(self, name):
        return '"state":"ready"' in self.run(name, f"pspctl status {ADMIN} --json 2>/dev/null || true")

    def pspctl(self, name, command, **options):
        return self.run(name, f"pspctl {command} {ADMIN} --json", **options)

    def push(self, name):
        """One to the phone, by the node of that name. Returns its id."""
        self.count += 1
        told = self.pspctl(name, f"push unicast phone --custom order-{self.count} --app demo --secret {self.app} --http 127.0.0.1:8080")
        return json.loads(told)["task_id"]

    def push_everywhere(self):
        self.tasks += [self.push(name) for name in NODES]

    def known(self):
        """The tasks that the nodes know."""
        told = {self.pspctl(name, "tasks --all") for name in NODES}
        assert len(told) == 1, "every node tells the same"
        return [task["task_id"] for task in json.loads(told.pop())]

    def received(self):
        """What a device gets that comes to a node, of all that is pending."""
        command = f"timeout 60 mosquitto_sub -V 5 -h 127.0.0.1 -u phone -P {self.secret} -q 1 -t 'psp/push/#' -F %p -C {len(self.tasks)}"
        return [json.loads(line)["task_id"] for line in self.run(NODES[1], command).splitlines()]


def position(lsn):
    return [int(half, 16) for half in lsn.strip().split("/")]


def naming(command, *names):
    return re.sub(r"ANY 1 \([^)]*\)", f"ANY 1 ({', '.join(names)})", command)


def spaced(text):
    return re.sub(r" +", " ", text)


def all_serve(text):
    return text if text.count("serving") == len(NODES) else None


@pytest.fixture(scope="module")
def site():
    if reason := why_none():
        pytest.skip(reason)
    with Machines([*DATABASES, *NODES], pathlib.Path(binary("pspd")).resolve().parent) as machines:
        site = Site(machines)
        site.boot(*DATABASES, *NODES)
        for name in DATABASES:
            # As the package leaves it.
            site.run(name, f"pg_createcluster {VERSION} main")
            site.server(name, "start")
        yield site


def test_both_languages_have_the_same_commands():
    assert commands("cluster.md") == commands("cluster.zh-CN.md")


def test_a_primary_and_two_standbys(site):
    for name in DATABASES:
        site.as_postgres(name, site.guide.take(SET_UP, "once, on every machine of the database"))
        site.server(name, "restart")
    site.as_postgres("db1", site.guide.take(SET_UP, "once, on the primary"), answers=f"{PASSWORDS['psp']}\n" * 2)
    site.as_postgres("db1", site.guide.take(STANDBYS, "on the primary"), answers=f"{PASSWORDS['replicator']}\n" * 2)
    for name in DATABASES:
        site.as_postgres(name, site.guide.take(STANDBYS, "on every machine of the database"))
    for name in ("db2", "db3"):
        site.server(name, "stop")
        naming = site.make_standby(name, "db1")
    site.name_standbys("db1", naming, "db2", "db3")
    settings = site.guide.take(DATABASE, "synchronous_standby_names")
    assert "'ANY 1 (db2, db3)'" in settings and "synchronous_commit = on" in settings


def test_three_nodes(site):
    for name in NODES:
        site.run(name, site.guide.take(SET_UP, "each node, as root").splitlines()[0], answers=PASSWORDS["psp"] + "\n")
    site.run(NODES[0], site.guide.take(SET_UP, "each node, as root").splitlines()[1])
    token = site.run(NODES[0], "cat /mnt/pspd/admin.token")
    for name in NODES[1:]:
        site.run(name, "umask 077 && cat >/mnt/pspd/admin.token", answers=token)
    site.run(NODES[0], site.guide.take(SET_UP, "once: the tables"))
    site.look_at_hosts()
    site.start_nodes()
    site.pspctl(NODES[0], "org add home --name Home")
    site.secret = json.loads(site.pspctl(NODES[0], "device add phone --platform android --org home"))["secret"]
    site.app = json.loads(site.pspctl(NODES[0], "app add demo --name Demo --interface msg"))["master_secret"]
    site.push_everywhere()
    assert sorted(site.known()) == sorted(site.tasks)


def test_the_primary_is_lost(site):
    site.machines.all["db1"].kill()
    look = site.guide.take(STANDBYS, "on each standby")
    site.primary, other = sorted(("db2", "db3"), key=lambda name: position(site.as_postgres(name, look)), reverse=True)
    named = naming(site.guide.take(STANDBYS, "on that one"), "db1", other)
    site.as_postgres(site.primary, named)
    eventually(lambda: site.sql(site.primary, "SELECT pg_is_in_recovery()") == ["f"], f"{site.primary} is the primary")
    site.server(other, "stop")
    site.make_standby(other, site.primary, anew=True)
    site.boot("db1")
    site.make_standby("db1", site.primary)
    site.look_at_hosts()
    site.name_standbys(site.primary, named.splitlines()[0], "db1", other)
    site.wait_for_nodes()
    site.push_everywhere()
    assert sorted(site.known()) == sorted(site.tasks)


def test_a_mistake_is_taken_back_by_a_backup(site):
    settings = site.guide.take(BACKUP, "settings of the primary and of the standbys")
    for name in sorted(DATABASES, key=lambda name: name == site.primary):
        site.as_postgres(name, f"cat >/etc/postgresql/{VERSION}/main/conf.d/archive.conf", answers=settings)
        site.server(name, "restart")
    site.wait_for_nodes()
    site.as_postgres(site.primary, site.guide.take(BACKUP, "every night", [("-h db1", f"-h {site.primary}")]))
    site.push_everywhere()
    (moment,) = site.sql(site.primary, "SELECT clock_timestamp()")
    kept = list(site.tasks)
    site.push_everywhere()

    # It has the rest archived first.
    (segment,) = site.sql(site.primary, "SELECT pg_walfile_name(pg_switch_wal())")
    eventually(lambda: (site.machines.shared / "archive" / segment).exists(), f"{segment} is archived")
    site.end_nodes()
    for name in DATABASES:
        site.server(name, "stop")
    day = site.as_postgres("db1", "ls /mnt/backup").strip()
    site.as_postgres("db1", f"rm -r /var/lib/postgresql/{VERSION}/main.before\n" + site.guide.take(BACKUP, "mv ", [("2026-03-02", day)]))
    restore, looks = site.guide.take(BACKUP, "what ALTER SYSTEM has set", [("2026-03-02 14:05:00+08", moment)]).split("psql", 1)
    site.as_postgres("db1", restore)
    eventually(lambda: site.sql("db1", "SELECT pg_is_in_recovery()") == ["f"], "it is where it should be")
    site.as_postgres("db1", "psql" + looks)
    assert ": intact" in site.run(NODES[0], "pspctl store check 'postgres://psp@db1/psp' --password-file /mnt/pspd/store.password")

    site.as_postgres("db1", f"""rm /etc/postgresql/{VERSION}/main/conf.d/zz-restore.conf
        mkdir /mnt/archive/next
        sed -i 's:/mnt/archive/:/mnt/archive/next/:g' /etc/postgresql/{VERSION}/main/conf.d/archive.conf""")
    site.server("db1", "restart")
    for name in ("db2", "db3"):
        naming = site.make_standby(name, "db1", anew=True)
    site.name_standbys("db1", naming, "db2", "db3")
    site.start_nodes()
    site.look_at_hosts()
    assert sorted(site.known()) == sorted(kept)
    site.tasks = kept
    site.push_everywhere()
    assert site.received() == site.tasks
    site.end_nodes()


def test_every_command_of_the_guide_was_run(site):
    assert not site.guide.left()
