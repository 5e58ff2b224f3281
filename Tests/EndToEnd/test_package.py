"""The Debian package: built, installed, started, upgraded without loss, purged. On the machine itself, so as root alone."""

import os
import pathlib
import re
import shlex
import subprocess

import pytest

from kit.linked import linked_packages
from kit.rest import notification
from kit.server import ROOT, Server, binary
from kit.world import World

DATA = pathlib.Path("/var/lib/pspd")
ENVIRONMENT = os.environ | {"DEBFULLNAME": "The tests", "DEBEMAIL": "tests@example.org"}

pytestmark = [
    pytest.mark.embedded("the package starts it in a directory"),
    pytest.mark.heavy,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can install a package"),
    pytest.mark.skipif(subprocess.run(["dpkg-query", "-W", "pspd"], capture_output=True).returncode == 0, reason="pspd is installed here"),
    pytest.mark.skipif(DATA.exists(), reason="there is a data directory of somebody else's"),
]


def run(*command, **more):
    result = subprocess.run([str(each) for each in command], capture_output=True, text=True, **more)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Two versions of it."""
    assert pathlib.Path(binary("pspd")) == (ROOT / ".build/release/pspd").resolve(), "the package is made of what `make build` has made"
    directory = tmp_path_factory.mktemp("deb")
    old = run(ROOT / "deploy/deb.sh", directory, env=ENVIRONMENT | {"PSP_VERSION": "0.0.1"}).strip()
    # The same files by another number: making it twice would take twice as long.
    run("dpkg-deb", "--raw-extract", old, directory / "next")
    control = directory / "next/DEBIAN/control"
    control.write_text(control.read_text().replace("Version: 0.0.1\n", "Version: 0.0.2\n"))
    run("dpkg-deb", "--root-owner-group", "-Znone", "--build", directory / "next", directory / "next.deb")
    yield old, directory / "next.deb"
    subprocess.run(["dpkg", "--purge", "pspd"], capture_output=True)
    subprocess.run(["userdel", "pspd"], capture_output=True)


class Installed(Server):
    """The server as the package's unit starts it: that command, that user, that directory. There is no systemd in a container."""

    def command(self):
        unit = pathlib.Path("/lib/systemd/system/pspd.service").read_text()
        user = re.search("^User=(.*)$", unit, re.M)[1]
        command = shlex.split(re.search("^ExecStart=(.*)$", unit, re.M)[1])
        assert command[0] == "/usr/bin/pspd" and str(DATA) in command
        return ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--no-new-privs", *command]

    def start(self):
        # StateDirectory= of the unit.
        run("install", "-d", "-m", "0700", "-o", "pspd", "-g", "pspd", DATA)
        return super().start()


def test_it_is_installed_started_upgraded_without_loss_and_purged(packages, tmp_path, device):
    old, new = packages
    run("dpkg", "--install", old)
    assert run("pspctl", "--version").strip() == run(binary("pspctl"), "--version").strip()
    rotation = pathlib.Path("/etc/logrotate.d/pspd")
    run("logrotate", "--debug", rotation)
    assert "LogsDirectory=pspd" in pathlib.Path("/lib/systemd/system/pspd.service").read_text()
    server = Installed(DATA)
    server.log = tmp_path / "pspd.log"
    with server:
        world = World(server)
        world.org("home")
        phone = world.device("phone", world.name("home"))
        caller = world.app()
        task = caller.push(notification(type="unicast", device_tokens=phone.token)).ok()["task_id"]
        assert server.stop() == 0
    conf = pathlib.Path("/etc/pspd/pspd.yaml")
    conf.write_text(conf.read_text().replace("window: 20", "window: 7"))
    run("dpkg", "--install", "--force-confold", new)
    assert run("dpkg-query", "-W", "-f", "${Version}", "pspd") == "0.0.2"
    assert "window: 7" in conf.read_text()
    with server:
        caller.server = server
        assert caller.counts(task)["pending"] == 1
        device(server, phone).connect().wait_for(task)
        assert server.stop() == 0
    run("dpkg", "--remove", "pspd")
    assert DATA.exists() and conf.exists()
    run("dpkg", "--purge", "pspd")
    assert not DATA.exists() and not conf.exists() and not rotation.exists()


def test_lintian_has_nothing_to_say(packages):
    run("lintian", "--fail-on", "error,warning", packages[0])


def test_each_program_has_its_page_and_its_completions(packages):
    names = run("dpkg-deb", "--contents", packages[0])
    for program, page in (("pspd", "man8/pspd.8"), ("pspctl", "man1/pspctl.1")):
        completions = f"bash-completion/completions/{program}", f"vendor-completions/_{program}", f"vendor_completions.d/{program}.fish"
        assert all(f"/{name}\n" in names for name in (f"man/{page}.gz", *completions)), names
    text = run("sh", "-c", f"dpkg-deb --fsys-tarfile {packages[0]} | tar -xO ./usr/share/man/man1/pspctl.1.gz | gunzip")
    commands = re.findall(r"^ {2}([a-z][a-z-]*) {2,}\S", run(binary("pspctl"), "--help"), re.MULTILINE)
    assert len(commands) > 15 and all(f'"PSPCTL {command.upper()}' in text for command in commands if command != "help"), commands


def test_it_asks_for_what_the_programs_link(packages):
    asked = {each.split()[0] for each in run("dpkg-deb", "-f", packages[0], "Depends").strip().split(", ")}
    assert asked - {"adduser"} == linked_packages()
