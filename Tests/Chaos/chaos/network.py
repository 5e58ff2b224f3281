"""Networks of our own that can be cut: a hub, and places around it, each joined to it by a pair of virtual links.

Each is a namespace without a name: nothing of it is seen from outside, and nothing is left behind, since a namespace ends with the
last process and descriptor that holds it.
"""

import asyncio
import concurrent.futures
import contextlib
import ctypes
import os
import shutil
import socket
import subprocess
import threading

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
SIOCOUTQ = 0x5411
TCP_REPAIR = 19
libc = ctypes.CDLL(None, use_errno=True)

RULES = """
table inet chaos {
    chain inward { type filter hook input priority 0
    }
    chain outward { type filter hook output priority 0
    }
    chain through { type filter hook forward priority 0
    }
}
"""
HUB = "198.18.255.1"  # its address, from every place


def what_is_missing():
    """Why networks cannot be cut here; `None` if they can."""
    if os.geteuid() != 0:
        return "needs root"
    missing = [name for name in ("ip", "nft") if not shutil.which(name)]
    return f"needs {' and '.join(missing)} (Debian: iproute2, nftables)" if missing else None


class Namespace:
    """A network. Sockets made in it stay in it, whoever uses them."""

    def __init__(self):
        self.maker = concurrent.futures.ThreadPoolExecutor(1, initializer=self._enter)
        self.descriptor = self.maker.submit(self._open).result()

    def _enter(self):
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")

    @staticmethod
    def _open():
        return os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def socket(self):
        return self.maker.submit(socket.socket).result()

    def join(self):
        """For a child between fork and exec."""
        if libc.setns(self.descriptor, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")

    def run(self, *command, text=None, descriptors=()):
        subprocess.run(
            command,
            input=text,
            text=True,
            check=True,
            preexec_fn=self.join,
            pass_fds=descriptors,
            stderr=subprocess.PIPE,
        )

    def close(self):
        self.maker.shutdown()
        os.close(self.descriptor)


class Networks:
    """The hub, which passes packets on, and the places around it. Every address is reached from everywhere."""

    def __init__(self, *names):
        self.hub = Namespace()
        self.hub.run("ip", "link", "set", "lo", "up")
        self.hub.run("ip", "address", "add", f"{HUB}/32", "dev", "lo")
        self.hub.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        self.hub.run("nft", "-f", "-", text=RULES)
        self.hosts = {name: f"198.18.{number}.2" for number, name in enumerate(names)}
        self.places = {name: self._place(number, name) for number, name in enumerate(names)}

    def _place(self, number, name):
        place = Namespace()
        peer = f"/proc/self/fd/{place.descriptor}"
        self.hub.run(
            "ip", "link", "add", name, "type", "veth", "peer", "name", "hub", "netns", peer, descriptors=(place.descriptor,)
        )
        self.hub.run("ip", "address", "add", f"198.18.{number}.1/24", "dev", name)
        self.hub.run("ip", "link", "set", name, "up")
        place.run("ip", "link", "set", "lo", "up")
        place.run("ip", "address", "add", f"{self.hosts[name]}/24", "dev", "hub")
        place.run("ip", "link", "set", "hub", "up")
        place.run("ip", "route", "add", "default", "via", f"198.18.{number}.1")
        return place

    def cut(self, place, way, other=None):
        """Packets vanish: `in` from the place to the hub and on, `out` on their way to it, or `both`; those of another place alone, if one
        is named."""
        inward, outward = ("iifname", place), ("oifname", place)
        if way in ("in", "both"):
            self._drop("through", *inward, *(("oifname", other) if other else ()))
            if not other:
                self._drop("inward", *inward)
        if way in ("out", "both"):
            self._drop("through", *outward, *(("iifname", other) if other else ()))
            if not other:
                self._drop("outward", *outward)

    def _drop(self, chain, *what):
        self.hub.run("nft", "add", "rule", "inet", "chaos", chain, *what, "drop")

    def mend(self):
        """All cuts."""
        for chain in ("inward", "outward", "through"):
            self.hub.run("nft", "flush", "chain", "inet", "chaos", chain)

    def close(self):
        for network in (*self.places.values(), self.hub):
            network.close()


class Cuts:
    """Those that there are at a time. Each is of a place, from all or from some others."""

    def __init__(self, networks):
        self.networks, self.current = networks, {}  # (place, from which others) to how
        self.lock = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def cut(self, what, way):
        """For as long as it is entered."""
        self.current[what] = way
        try:
            await self._apply()
            yield
        finally:
            del self.current[what]
            await self._apply()

    async def _apply(self):
        def apply(cuts):
            self.networks.mend()
            for (place, others), way in cuts:
                for other in others:
                    self.networks.cut(place, way, other)

        async with self.lock:
            await asyncio.to_thread(apply, list(self.current.items()))


def die_with_parent():
    """For a child between fork and exec: it ends when this program does, however that happens."""
    libc.prctl(PR_SET_PDEATHSIG, 9)
