"""What a run breaks: one server with a store of its own, or several that share one, and everything between them and who uses them."""

import asyncio
import itertools
import subprocess

from .balancer import PORTS, Balancer
from . import patroni
from .database import Pair
from .network import HUB, Networks, what_is_missing
from .node import Node
from .plan import FAULTS

CELLS = ("cell0", "cell1", "cell2")
ACK_TIMEOUT = 5  # seconds; a setting
PRELOADED = ("full", "eio", "clock")


class OneNode:
    """A server with an embedded store. Callers and every fourth device are where it is, the other devices in networks around it."""

    is_shared = False
    database = None
    edges = ()

    def __init__(self, settings, recorder):
        self.networks, self.left_out = self._networks(settings.faults)
        self.callers = self.networks and self.networks.hub
        self.cells = {name: self.networks.places[name] for name in CELLS} if self.networks else {}
        faults = [name for name in settings.faults if name not in self.left_out]
        options = {"PSP_LOOPS": "2"} | ({"PSP_LOG_LEVEL": "debug"} if "log" in faults else {})
        place = {"namespace": self.networks.hub, "host": HUB} if self.networks else {}
        preload = any(name in PRELOADED for name in faults)
        node = Node("node1", settings.directory, recorder, preload=preload, settings=options, **place)
        if node.has_setting("--ack-timeout"):
            options["PSP_ACK_TIMEOUT"] = str(ACK_TIMEOUT)
        self.nodes = self.doors = [node]

    @staticmethod
    def _networks(names):
        """Networks that can be cut, if that is wanted; the faults that are left out, with the reason."""
        wanted = [name for name in names if FAULTS[name].scope == "cell"]
        if not wanted:
            return None, {}
        reason = what_is_missing()
        if reason is None:
            try:
                return Networks(*CELLS), {}
            except (OSError, subprocess.CalledProcessError) as error:  # a container may not let even root do it
                reason = str(error)
        return None, {name: reason for name in wanted}

    async def start(self):
        await self.nodes[0].start()

    async def close(self):
        await end(self.nodes)
        if self.networks:
            self.networks.close()


class Cluster:
    """Nodes over PostgreSQL with a standby, behind HAProxy, each in a network of its own. Callers and devices come by the balancer, and
    to a node itself."""

    is_shared = True
    left_out = {}

    def __init__(self, settings, recorder):
        reason = what_is_missing()
        if reason:
            raise RuntimeError(f"several nodes are run in networks of their own, which {reason}")
        database = patroni.Patroni if settings.patroni else Pair
        if settings.patroni and (reason := patroni.what_is_missing()):
            raise RuntimeError(f"Patroni {reason}")
        names = [f"node{number}" for number in range(1, settings.nodes + 1)]
        self.networks = Networks(*CELLS, "callers", "balancer", *database.places, *names)
        self.callers = self.networks.places["callers"]
        self.cells = {name: self.networks.places[name] for name in CELLS}
        self.database = database(self.networks, settings.directory)
        self.nodes = [self._node(name, settings, recorder) for name in names]
        self.balancer = Balancer(settings.directory, recorder, self.networks, "balancer", self.nodes)
        self.doors = [*self.nodes, *[self.balancer] * len(self.nodes)]
        # Each edge between two places: whom it concerns, and the ends of it.
        self.edges = [
            *((name, name, database.places) for name in names),
            *((None, one, (other,)) for one, other in itertools.combinations(database.places, 2)),
            *((name, name, ("balancer",)) for name in names),
        ]

    def _node(self, name, settings, recorder):
        balancer = self.networks.hosts["balancer"]
        options = {
            **self.database.settings,
            "PSP_NODE": name,
            "PSP_LOOPS": "1",
            "PSP_HTTP": f"0.0.0.0:{PORTS['http']}",
            "PSP_MQTT": f"0.0.0.0:{PORTS['mqtt']}",
            "PSP_ADMIN": "0.0.0.0:8081",
            "PSP_PROXY_PROTOCOL_FROM": balancer,
            "PSP_FORWARDED_FROM": balancer,
            "PSP_ACK_TIMEOUT": str(ACK_TIMEOUT),
        } | ({"PSP_LOG_LEVEL": "debug"} if "log" in settings.faults else {})
        place = {"namespace": self.networks.places[name], "host": self.networks.hosts[name]}
        return Node(name, settings.directory, recorder, settings=options, **place)

    async def start(self):
        await asyncio.to_thread(self.database.start)
        await asyncio.gather(*(node.start() for node in self.nodes))
        await self.balancer.start()

    async def close(self):
        await end(self.nodes)
        self.balancer.close()
        await asyncio.to_thread(self.database.close)
        self.networks.close()


async def end(nodes):
    for node in nodes:
        node.resume()
        await node.end()
    await asyncio.sleep(0)
