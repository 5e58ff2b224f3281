"""Networks of our own that can be cut: the nodes' and some for devices, joined by pairs of virtual links.

Each is a namespace without a name: nothing of it is seen from outside, and nothing is left behind, since a namespace ends with the
last process and descriptor that holds it.
"""

import concurrent.futures
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
}
"""


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
    """The nodes' network and `count` cells of devices around it."""

    def __init__(self, count):
        self.hub = Namespace()
        self.hub.run("ip", "link", "set", "lo", "up")
        self.hub.run("nft", "-f", "-", text=RULES)
        self.cells = [self._cell(number) for number in range(count)]

    def _cell(self, number):
        cell, near, far = Namespace(), f"cell{number}", "device"
        peer = f"/proc/self/fd/{cell.descriptor}"
        self.hub.run(
            "ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", peer, descriptors=(cell.descriptor,)
        )
        self.hub.run("ip", "address", "add", f"198.18.{number}.1/24", "dev", near)
        self.hub.run("ip", "link", "set", near, "up")
        cell.run("ip", "address", "add", f"198.18.{number}.2/24", "dev", far)
        cell.run("ip", "link", "set", far, "up")
        return cell

    @staticmethod
    def address(number, port):
        """A node's listener, seen from a cell."""
        return f"198.18.{number}.1", port

    def cut(self, number, way):
        """Packets vanish: `in` on their way to the nodes, `out` from them, or `both`."""
        if way in ("in", "both"):
            self.hub.run("nft", "add", "rule", "inet", "chaos", "inward", "iifname", f"cell{number}", "drop")
        if way in ("out", "both"):
            self.hub.run("nft", "add", "rule", "inet", "chaos", "outward", "oifname", f"cell{number}", "drop")

    def mend(self):
        """All cuts."""
        for chain in ("inward", "outward"):
            self.hub.run("nft", "flush", "chain", "inet", "chaos", chain)

    def close(self):
        for network in (*self.cells, self.hub):
            network.close()


def die_with_parent():
    """For a child between fork and exec: it ends when this program does, however that happens."""
    libc.prctl(PR_SET_PDEATHSIG, 9)
