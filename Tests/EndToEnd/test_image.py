"""The image of deploy/docker: what it says of itself, and that it serves, keeps its volume and ends as it should."""

import json
import os
import pathlib
import re
import signal
import socket

import pytest

from kit.images import DOCKERFILE, Contained, images, run
from kit.linked import linked_packages
from kit.rest import notification
from kit.server import ROOT, STOP_TIMEOUT, Shared, binary
from kit.waiting import eventually
from kit.world import World

pytestmark = [
    pytest.mark.heavy, pytest.mark.embedded("the image keeps a volume; the test of a shared store makes one by itself"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can start containers without a daemon's help"),
]


@pytest.fixture(scope="module")
def buildah(tmp_path_factory):
    with images(tmp_path_factory.mktemp("containers")) as buildah:
        yield buildah


@pytest.fixture(scope="module")
def base(buildah):
    return buildah.import_base("bookworm")


@pytest.fixture(scope="module")
def image(buildah, base):
    """Of the programs that `make build` has made; the stage that builds them is test-long's."""
    assert pathlib.Path(binary("pspd")) == (ROOT / ".build/release/pspd").resolve(), "the image is made of what `make build` has made"
    return buildah.build("pspd", "prebuilt", BASE=base)


def test_what_it_says_of_itself(buildah, image):
    configuration = buildah.configuration(image)
    assert configuration["Entrypoint"] == ["pspd"] and configuration["StopSignal"] == "SIGTERM"
    user, group = configuration["User"].split(":")
    assert int(user) > 0 and int(group) > 0
    assert set(configuration["Volumes"]) == {"/var/lib/pspd"}
    assert set(configuration["ExposedPorts"]) == {"8080/tcp", "1883/tcp"}
    assert not any("TOKEN" in each for each in configuration["Env"])


def test_it_serves_keeps_its_volume_and_ends_as_it_should(buildah, image, tmp_path, device):
    server = Contained(buildah, image, tmp_path / "volume")
    with server:
        assert os.stat(f"/proc/{server.pid}").st_uid == server.user != 0
        assert os.readlink(f"/proc/{server.pid}/exe").endswith("/usr/bin/pspd")
        assert server.is_healthy()
        world = World(server)
        phone = world.device("phone", world.org("home"))
        caller = world.app()
        task = caller.push(notification(type="unicast", device_tokens=phone.token)).ok()["task_id"]
        assert server.stop() == 0
    assert not server.is_healthy()
    with server:
        caller.server = server
        assert caller.counts(task)["pending"] == 1
        device(server, phone).connect().wait_for(task)
        assert server.stop() == 0


class OfManyNodes(Contained):
    """One of the nodes that share a store, told so by variables alone, as `docker run -e` gives them."""

    def __init__(self, buildah, image, data, store):
        super().__init__(buildah, image, data)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.admin_door = "127.0.0.1:%d" % free.getsockname()[1]
        self.settings = {"PSP_STORE": store, "PSP_ADMIN_TOKEN": self.ADMIN_TOKEN, "PSP_ADMIN": self.admin_door}

    def inside(self, *command):
        return super().inside("env", *[f"{key}={value}" for key, value in self.settings.items()], *command)


def test_a_store_that_nodes_share_takes_the_place_of_the_volume(buildah, image, tmp_path):
    databases = Shared.databases()
    database = databases.make()
    server = OfManyNodes(buildah, image, tmp_path / "volume", databases.server.uri(database))
    try:
        server.start()
        eventually(server.is_ready, server.tail)
        assert server.is_healthy()
        told = run(*server.inside("pspctl", "nodes", "--json"))
        [node] = json.loads(told)
        assert node["own"] and node["state"] == "serving" and not list(server.data.iterdir())
        # Nothing tells its number; the process group is the test's own.
        os.killpg(server.process.pid, signal.SIGTERM)
        server.process.wait(STOP_TIMEOUT)
    finally:
        server.kill()
        databases.drop(database)


class FirstProcess(Contained):
    """Process 1 of its namespace, as it is under Docker: it gets no signal that it does not ask for."""

    def command(self):
        root = self.buildah("mount", self.container).strip()
        script = f'mount --bind "{self.data}" "{root}{self.place}" && exec chroot --userspec={self.user}:{self.user} "{root}" "$@"'
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", script, "-", "env", f"PSP_STORE=sqlite:{self.place}", *self.entrypoint]

    @property
    def pid(self):
        assert self.published()["pid"] == 1
        return int(pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text())


def test_it_ends_by_the_signal_as_process_1_too(buildah, image, tmp_path):
    server = FirstProcess(buildah, image, tmp_path / "volume")
    with server:
        assert os.stat(f"/proc/{server.pid}").st_uid == server.user
        assert server.stop() == 0


# What the programs need at run time


# What Debian has in any case: C, C++ and the compiler's library. apt is written in C++.
EVERYWHERE = {"libc6", "libgcc-s1", "libstdc++6"}


def test_the_image_installs_what_the_programs_link_and_no_more():
    listed = re.search(r"--no-install-recommends \\\n(.*?)&&", DOCKERFILE.read_text(), re.S)[1].replace("\\", " ").split()
    assert set(listed) == linked_packages() - EVERYWHERE
    assert listed == sorted(listed)


@pytest.mark.parametrize("page, heading", [("operations.md", "Run-time packages"), ("operations.zh-CN.md", "运行所需的软件包")])
def test_the_documents_list_what_the_programs_link(page, heading):
    section = (ROOT / "docs" / page).read_text().split(f"\n### {heading}\n")[1].split("\n### ")[0]
    listed = re.findall(r"^\| `([a-z0-9.+-]+)` \|", section, re.M)
    assert set(listed) == linked_packages()


# The stage that builds them


@pytest.mark.skipif(os.environ.get("PSP_LONG_TESTS") != "1", reason="it builds the programs anew, which takes many minutes: make test-long")
def test_the_build_stage_builds_them(buildah, base, tmp_path):
    """Its base would be Swift's own image: here it is Debian with what Swift needs, and the machine's compiler in its place."""
    toolchain = pathlib.Path(run("bash", "-c", "readlink -f $(command -v swift)").strip()).parents[2]
    container = buildah("from", base).strip()
    buildah("run", "--isolation", "chroot", "--user", "root", container, "--", "sh", "-c",
            "apt-get update && apt-get install -y --no-install-recommends binutils-gold ca-certificates git libc6-dev libcurl4 libedit2 "
            "libgcc-12-dev libncurses6 libpython3.11 libstdc++-12-dev libxml2 make tzdata zlib1g-dev")
    buildah("config", "--env", f"PATH={toolchain}/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin", container)
    buildah("commit", "--rm", container, "swift")
    cache = pathlib.Path.home() / ".cache/org.swift.swiftpm"
    cache.mkdir(parents=True, exist_ok=True)
    volumes = [f"{toolchain}:{toolchain}:ro", f"{cache}:/root/.cache/org.swift.swiftpm:rw", "/etc/ssl/certs:/etc/ssl/certs:ro"]
    mounts = [part for volume in volumes for part in ("--volume", volume)]
    built = buildah.build("built", "pspd", *mounts, BASE=base, SWIFT="localhost/swift", timeout=3600)
    with Contained(buildah, built, tmp_path / "volume") as server:
        assert server.is_healthy()
        assert server.stop() == 0
