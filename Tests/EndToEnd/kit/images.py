"""Images by buildah, whose images and containers are the tests' own: nothing of the machine's is seen or changed."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess

from .proxies import program
from .server import FREE_PORTS, ROOT, STOP_TIMEOUT, Server

DOCKERFILE = ROOT / "deploy/docker/Dockerfile"
# What `debian:bookworm-slim` is for the Dockerfile: Debian 12 with apt and little else. Made once, from the mirror that apt uses here.
BASE = ROOT / ".build/container/bookworm.tar"


def run(*command, timeout=600):
    result = subprocess.run([str(each) for each in command], capture_output=True, text=True, timeout=timeout)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def mirror():
    """The address by which apt gets Debian 12 on this machine."""
    for line in run("apt-get", "indextargets", "--format", "$(SITE) $(CODENAME) $(LABEL)", "Created-By: Packages").splitlines():
        if line.endswith(" bookworm Debian"):
            return line.split()[0]
    return "http://deb.debian.org/debian"


def base_file():
    if not BASE.exists():
        BASE.parent.mkdir(parents=True, exist_ok=True)
        unfinished = BASE.with_suffix(".part.tar")
        run(program("mmdebstrap"), "--variant=minbase", "bookworm", unfinished, mirror())
        unfinished.rename(BASE)
    return BASE


class Buildah:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.command = [program("buildah"), "--root", str(self.directory / "images"), "--runroot", str(self.directory / "run")]

    def __call__(self, *arguments, timeout=600):
        return run(*self.command, *arguments, timeout=timeout)

    def import_base(self, name):
        """The base that an image registry would have."""
        container = self("from", "scratch").strip()
        self("add", container, base_file(), "/")
        self("commit", "--rm", container, name)
        return f"localhost/{name}"

    def build(self, name, target, *arguments, timeout=600, **values):
        """The image of one of the Dockerfile's stages; `values` are its ARGs."""
        values = [part for key, value in values.items() for part in ("--build-arg", f"{key}={value}")]
        # Docker's own format: the other one has no health check.
        self("build", "--format", "docker", "--isolation", "chroot", "--file", DOCKERFILE, "--target", target, *values, *arguments,
             "--tag", name, ROOT, timeout=timeout)
        return name

    def configuration(self, image):
        """What the image says of itself."""
        return json.loads(self("inspect", "--type", "image", image))["Docker"]["config"]

    def remove_all(self):
        self("rm", "--all")
        # Layers may be mounted as long as they are known.
        self("rmi", "--all", "--force")
        shutil.rmtree(self.directory, ignore_errors=True)


class Contained(Server):
    """The server in a container, with its data in a directory of the machine: as the image starts it, by its user.

    The container shares the machine's network and processes: only the root directory is its own, which needs nothing of the machine."""

    def __init__(self, buildah, image, data):
        super().__init__(data)
        self.buildah = buildah
        configuration = buildah.configuration(image)
        self.entrypoint, (self.place, *_) = configuration["Entrypoint"], configuration["Volumes"]
        self.health_check = configuration["Healthcheck"]["Test"]
        self.user = int(configuration["User"].split(":")[0])
        self.container = buildah("from", image).strip()
        # A volume that is empty belongs to whom its place in the image belongs to.
        self.data.mkdir(mode=0o700)
        os.chown(self.data, self.user, self.user)

    def inside(self, *command):
        """What runs a command in the container."""
        environment = [part for key, value in FREE_PORTS.items() for part in ("--env", f"{key}={value}")]
        volume = f"{self.data}:{self.place}"
        return [*self.buildah.command, "run", "--isolation", "chroot", *environment, "--volume", volume, self.container, "--", *command]

    def command(self):
        return self.inside(*self.entrypoint)

    @property
    def pid(self):
        return self.published()["pid"]

    def is_healthy(self):
        kind, *command = self.health_check
        assert kind == "CMD", "in exec form"
        return subprocess.run(self.inside(*command), capture_output=True).returncode == 0

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        status = self.process.wait(STOP_TIMEOUT)
        self._forget()
        return status


@contextlib.contextmanager
def images(directory):
    buildah = Buildah(directory)
    try:
        yield buildah
    finally:
        buildah.remove_all()
