"""Machines of their own, for somebody who follows a guide: a network, a name that others know, and the paths that Debian's packages use."""

import contextlib
import pathlib
import shutil
import subprocess
import tempfile

from chaos.enclosure import Enclosure
from chaos.network import Networks, die_with_parent, what_is_missing

# What each machine has for itself: places that PostgreSQL's packages have made.
PLACES = ("etc/postgresql", "run/postgresql", "var/lib/postgresql", "var/log/postgresql")
# The same below /mnt, of a node; and what all machines see alike, as a server of files would have it.
OWN, SHARED = "pspd", ("archive", "backup")
# Where those are here, as no machine's root is its own.
ELSEWHERE = {f"/{name}": f"/mnt/{name}" for name in SHARED} | {f"/etc/{OWN}{end}": f"/mnt/{OWN}{end}" for end in "/ "}
MACHINE = f"""
set -eu
for place in {" ".join(PLACES)}; do mount --bind "$1/$place" "/$place"; done
mount --bind "$2" /etc/hosts
mount -t tmpfs none /dev/shm
mount -t tmpfs -o mode=755 none /mnt
for place in {" ".join(SHARED)}; do mkdir "/mnt/$place"; mount --bind "$3/$place" "/mnt/$place"; done
: >"$1/ready"
# Whoever loses his parent belongs to this process, which waits for all.
sleep infinity & wait
"""


def why_none():
    """Why no machines can be made here; `None` if they can."""
    made = subprocess.run(["unshare", "--mount", "--pid", "--net", "--fork", "true"], capture_output=True, text=True)
    return what_is_missing() or (f"no namespaces: {made.stderr}" if made.returncode else None)


class Machine(Enclosure):
    def __init__(self, name, directory, shared, network, hosts, programs):
        super().__init__(network)
        self.name, self.programs = name, programs
        self.directory = directory / name
        for place in PLACES:
            (self.directory / place).mkdir(parents=True, exist_ok=True)
            shutil.chown(self.directory / place, "postgres", "postgres")
        # It may have run before.
        (self.directory / "ready").unlink(missing_ok=True)
        self.enter(MACHINE, self.directory, hosts, shared, spaces=["--ipc"])

    @property
    def is_ready(self):
        assert self.process.poll() is None, f"{self.name} has ended"
        return (self.directory / "ready").exists()

    def command(self, text, user):
        """As at a prompt of that user, which ends with the first command that fails."""
        home = "/var/lib/postgresql" if user == "postgres" else "/root"
        return ["nsenter", f"--target={self.first()}", "--mount", "--pid", "--ipc", "--net", f"--wd={home}", "--",
                "setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--",
                "env", "-i", f"HOME={home}", f"PATH={self.programs}:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
                "bash", "-e", "-u", "-o", "pipefail", "-c", text]

    def run(self, text, user="root", answers="", status=0, timeout=120):
        """What it prints. `answers` is what is typed."""
        done = subprocess.run(self.command(text, user), input=answers, capture_output=True, text=True, timeout=timeout, cwd="/",
                              start_new_session=True)
        assert done.returncode == status, f"{self.name}, {user}: {text}{done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self, text, log):
        """A server in the foreground, which goes on."""
        with log.open("ab") as file:
            return subprocess.Popen(
                self.command(text, "root"), cwd="/", stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
                preexec_fn=die_with_parent)


class Machines:
    """All of them, each known to the others by its name; they go with the `with`."""

    def __init__(self, names, programs):
        # Users of the machines have to come by.
        self.ending = contextlib.ExitStack()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="psp-rehearsal-", dir="/tmp"))
        self.ending.callback(shutil.rmtree, self.directory)
        self.directory.chmod(0o711)
        self.networks = Networks(*names)
        self.ending.callback(self.networks.close)
        self.hosts = self.directory / "hosts"
        known = {"localhost": "127.0.0.1"} | self.networks.hosts
        self.hosts.write_text("".join(f"{address} {name}\n" for name, address in known.items()))
        self.shared = self.directory / "shared"
        for place in SHARED:
            (self.shared / place).mkdir(parents=True)
            shutil.chown(self.shared / place, "postgres", "postgres")
        self.programs = programs
        self.all = {}

    def boot(self, name):
        """A machine as it is after Debian was installed on it."""
        machine = Machine(name, self.directory, self.shared, self.networks.places[name], self.hosts, self.programs)
        self.ending.callback(machine.kill)
        self.all[name] = machine
        return machine

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ending.close()
