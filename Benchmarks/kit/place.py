"""Where things are, how large they are, and on what they run."""

import dataclasses
import os
import pathlib
import platform
import shutil
import subprocess


@dataclasses.dataclass(frozen=True)
class Size:
    """How much of everything. The quick one only shows that the scenarios run: its figures mean nothing."""

    runs: int = 5
    seconds: int = 5
    offline: int = 200_000
    online: int = 10_000
    crowd: int = 18_000
    first_crowd: int = 1_000
    rounds: int = 20
    waiting: int = 5
    stalled_messages: int = 1_000
    rate: int = 2_000
    idle: int = 500
    store: tuple = (100, 1_000, 10_000, 100_000)
    large: int = 1_000_000
    half: int = 500_000
    imported: int = 100_000
    connections: int = 1_000
    quick: bool = False


QUICK = Size(
    runs=1, seconds=1, offline=500, online=60, crowd=120, first_crowd=20, rounds=2, waiting=2, stalled_messages=30, rate=100, idle=10,
    store=(10, 100), large=1_000, half=500, imported=200, connections=70, quick=True)


class Place:
    """The project's folder, the programs, a work folder on a disk, and the size."""

    def __init__(self, root, work, binaries, size):
        self.root = pathlib.Path(root)
        self.work = pathlib.Path(work)
        self.binaries = pathlib.Path(binaries)
        self.size = size
        self.work.mkdir(parents=True, exist_ok=True)
        self.file_system = file_system(self.work)
        if self.file_system in ("tmpfs", "ramfs"):
            raise SystemExit(f"bench: {self.work} is in memory ({self.file_system}); name a folder on a disk with --work")

    def binary(self, name):
        path = self.binaries / name
        if not path.exists():
            raise SystemExit(f"bench: no {path}; run it by make bench")
        return path

    def floor(self, name):
        return self.root / ".build/floor" / name

    def tokens(self, count, name="dev"):
        """A file with the tokens of `count` devices, one a line."""
        path = self.work / f"tokens-{name}-{count}"
        if not path.exists():
            path.write_text("".join(f"{name}-{i}\n" for i in range(count)))
        return path


def file_system(path):
    """The type of the file system that holds `path`."""
    path = str(pathlib.Path(path).resolve())
    best = ("", "unknown")
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, mount, kind, *_ = line.split()
        inside = path == mount or path.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(best[0]):
            best = (mount, kind)
    return best[1]


def _first_line(*command):
    if not shutil.which(command[0]):
        return None
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout or done.stderr).strip().split("\n")[0]


def _package(name):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name], capture_output=True, text=True)
    return done.stdout.strip() or None


def conditions(place):
    """What a reader must know to compare."""
    cpu = next(
        (line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
        platform.machine())
    release = dict(
        line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if "=" in line)
    peers = {name: _package(name) for name in ("mosquitto", "nats-server", "libnginx-mod-nchan", "wrk", "libevent-dev", "libsqlite3-dev")}
    commit = subprocess.run(["git", "-C", place.root, "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    return {
        "processor": f"{cpu}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGESIZE') / 2**30:.0f} GiB",
        "system": f"{release.get('PRETTY_NAME', 'Linux').strip(chr(34))}, Linux {platform.release()}",
        "data directory": place.file_system,
        "compiler": _first_line("swift", "--version") or "unknown",
        "packages": ", ".join(f"{name} {version}" for name, version in peers.items() if version),
        "revision": commit or "unknown",
    }
