"""HAProxy in front of the nodes, as it is in deploy/, in a network of its own. It tells which node each device's connection went to."""

import asyncio
import socket
import subprocess

from kit.cluster import configuration
from kit.proxies import program

from . import history as events
from .network import die_with_parent

NAME = "balancer"
PORTS = {"http": 8080, "mqtt": 1883}


class Routes(asyncio.DatagramProtocol):
    """Reads HAProxy's log: a line for each connection of a device, as soon as it stands."""

    def __init__(self, balancer):
        self.balancer = balancer

    def datagram_received(self, data, _):
        words = data.decode(errors="replace").split()
        if "route" in words:
            client, node = words[words.index("route") + 1 :][:2]
            self.balancer.note_route(int(client), node)


class Balancer:
    """A door like a node's."""

    name = NAME
    offset = 0.0
    is_direct = False

    def __init__(self, directory, recorder, networks, place, nodes):
        self.directory, self.recorder, self.networks, self.place = directory, recorder, networks, place
        host = networks.hosts[place]
        self.http, self.mqtt = (host, PORTS["http"]), (host, PORTS["mqtt"])
        self.file, self.log, self.socket = directory / "haproxy.cfg", directory / "haproxy.log", directory / "haproxy.sock"
        doors = [tuple(f"{node.host}:{port}" for port in PORTS.values()) for node in nodes]
        self.file.write_text(self._configuration(configuration(doors, self.http, self.mqtt, host)))
        self.is_up = asyncio.Event()
        self.connections, self.early = {}, {}  # port of a device to its connection; to its node, where that was told first
        self.process = None

    def _configuration(self, text):
        text = text.replace("global\n", f"global\n    log {self.socket} local0\n", 1)
        routes = '    log global\n    option logasap\n    log-format "route %cp %s"\n'
        return text.replace("frontend devices\n", "frontend devices\n" + routes, 1)

    async def start(self):
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(
            lambda: Routes(self), local_addr=str(self.socket), family=socket.AF_UNIX
        )
        with self.log.open("ab") as log:
            command = [program("haproxy"), "-db", "-f", str(self.file)]
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True, preexec_fn=self._before_exec
            )
        self.is_up.set()

    def _before_exec(self):
        die_with_parent()
        self.networks.places[self.place].join()

    def expect(self, port, connection):
        node = self.early.pop(port, None)
        if node:
            self.recorder.note(events.Routed(self.recorder.now(), connection, node))
        else:
            self.connections[port] = connection

    def note_route(self, port, node):
        if node.startswith("<"):
            return  # no node is ready
        connection = self.connections.pop(port, None)
        if connection is None:
            self.early[port] = node
        else:
            self.recorder.note(events.Routed(self.recorder.now(), connection, node))

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.transport.close()
