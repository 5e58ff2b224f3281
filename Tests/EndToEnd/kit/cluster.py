"""Nodes that share a store, on ports that stay, behind HAProxy as it is in deploy/."""

import os
import signal

from .ports import free_port
from .proxies import HAProxy
from .rest import AdminClient
from .server import ROOT, Server
from .waiting import PATIENCE, eventually

# By which address HAProxy goes on to the nodes: it tells them whose connections these are; tests that come to a node themselves do not.
SOURCE = "127.0.0.2"


def configuration(doors, http, mqtt, source):
    """That of deploy/, without TLS and with these addresses; checks come sooner. `doors` are each node's, of HTTP and MQTT."""
    lines = []
    for line in (ROOT / "deploy/haproxy/shared-store.cfg").read_text().splitlines():
        words = line.split()
        if words[:1] == ["server"]:
            if words[1] != "node1":
                continue
            # As many as there are, each like the first.
            for number, (callers, devices) in enumerate(doors, 1):
                lines.append(
                    line.replace("node1", f"node{number}").replace("192.0.2.11:8080", callers).replace("192.0.2.11:1883", devices)
                    .replace("port 8080", "port " + callers.rsplit(":", 1)[1]) + f" source {source}")
            continue
        line = line.split(" ssl crt ")[0].replace("inter 2s", "inter 100ms")
        lines.append(line.replace(":443", "{}:{}".format(*http)).replace(":8883", "{}:{}".format(*mqtt)))
    assert "192.0.2" not in "".join(line for line in lines if not line.lstrip().startswith("#")), lines
    return "\n".join(lines) + "\n"


class Cluster:
    """`with` starts all of it. `http` and `mqtt` are the balancer's; `nodes` are asked by themselves, too."""

    def __init__(self, directory, store, *flags, count=2):
        self.directory, self.store = directory, store
        self.nodes = [self._node(number, flags) for number in range(1, count + 1)]
        self.http, self.mqtt = ("127.0.0.1", free_port()), ("127.0.0.1", free_port())
        self.balancer = HAProxy(directory, self._configuration())

    def _node(self, number, flags):
        doors = {f"PSP_{door}": f"127.0.0.1:{free_port()}" for door in ("HTTP", "MQTT")}
        return Server(
            self.directory / f"node{number}", "--node", f"node{number}", "--proxy-protocol-from", SOURCE, "--forwarded-from", SOURCE,
            "--log-level", "debug", *flags, environment=doors, store=self.store)

    def _configuration(self):
        doors = [(node.environment["PSP_HTTP"], node.environment["PSP_MQTT"]) for node in self.nodes]
        return configuration(doors, self.http, self.mqtt, SOURCE)

    @property
    def admin(self):
        """Of a node that runs."""
        return next(node.admin for node in self.nodes if node.process)

    @property
    def admin_token(self):
        return Server.ADMIN_TOKEN

    def tail(self, size=4000):
        return "\n".join(f"--- {node.data.name}\n{node.tail(size)}" for node in self.nodes) + "\n--- haproxy\n" + self.balancer.log.read_text()[-1000:]

    def wait_for_balancer(self, *states):
        """Until it thinks so of each node, in their order: UP or DOWN."""
        wanted = {f"{backend}/node{number}": state for number, state in enumerate(states, 1) for backend in ("callers", "devices")}
        eventually(lambda: self.balancer.states() == wanted, lambda: f"{self.balancer.states()}\n{self.tail()}")

    def states(self, node):
        """What a node says of all: `serving`, `draining` or `lapsed`, by name."""
        items = AdminClient(node).call("GET", "/psp/admin/nodes").ok()["items"]
        return {item["node"]: item["state"] for item in items}

    def restart(self, node):
        """Ends it as an operator does, and starts it again."""
        os.kill(node.pid, signal.SIGTERM)
        assert node.process.wait(PATIENCE) == 0, node.tail()
        node._forget()
        node.start()

    def __enter__(self):
        try:
            for node in self.nodes:
                node.start()
            self.balancer.__enter__()
            self.wait_for_balancer(*["UP"] * len(self.nodes))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.balancer.process:
            self.balancer.__exit__()
        for node in self.nodes:
            node.kill()
