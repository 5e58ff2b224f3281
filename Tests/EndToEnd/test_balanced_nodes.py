"""Two nodes behind a balancer as it is in deploy/. Their stores are their own, so they are two installations: an app and its devices are of one of
them, and come to it by its name. What is shown is what a balancer is to do: the right node, the client's address, a drain that loses nothing."""

import concurrent.futures
import http.client
import os
import signal
import socket
import time

import pytest

from kit.certificates import Authority, Named, Trust
from kit.device import Device
from kit.ports import free_port
from kit.proxies import HAProxy, Nginx
from kit.pusher import Pusher
from kit.rest import encode, exchange_on, notification
from kit.server import ROOT, Server
from kit.waiting import PATIENCE, eventually, throughout
from kit.world import World

NAMES = ("push1.example.com", "push2.example.com")
SUBJECT = "subjectAltName=" + ", ".join(f"DNS:{name}" for name in NAMES) + "\n"
# Where clients come from, and by which addresses the balancer goes on.
CLIENT = "127.0.0.9"
SOURCES = {"192.0.2.101": "127.0.0.2", "192.0.2.102": "127.0.0.3"}
TRUSTED = ["--forwarded-from", "127.0.0.1", "--proxy-protocol-from", "127.0.0.2,127.0.0.3"]
# While a balancer looks, a node serves on (--drain-delay).
DRAIN_SECONDS = 2


class Node:
    """A server on ports that stay, with an app and a device of its own."""

    def __init__(self, directory, number, identity):
        self.name = NAMES[number]
        self.ports = {door: ("127.0.0.1", free_port()) for door in ("http", "mqtt", "https", "mqtts")}
        doors = [part for door, (host, port) in self.ports.items() for part in (f"--{door}", f"{host}:{port}")]
        self.server = Server(
            directory / f"node{number + 1}", *doors, *identity.flags(), *TRUSTED, "--http-idle", "2", "--drain-delay", str(DRAIN_SECONDS),
            "--drain-rate", "10", "--log-level", "debug")

    def furnish(self):
        world = World(self.server)
        self.app = world.app()
        self.phone = world.device("phone", world.org("home"))
        return self


class Balanced:
    """A balancer in front of both, with TLS at one of the two ends: its doors, and how clients come by them."""

    def __init__(self, directory, nodes, authority, kind, tls):
        self.nodes, self.trust, self.kind = nodes, Trust(authority), kind
        own = authority.issue(f"balancer-{kind}-{tls}", names=SUBJECT)
        both = directory / "push.pem"
        both.write_bytes(own.certificate.read_bytes() + own.key.read_bytes())
        self.callers, self.devices = free_port(), free_port()
        paths = {"/etc/haproxy/push.pem": str(both), "/etc/haproxy/pspd-ca.pem": str(authority.certificate),
                 "/etc/nginx/push.pem": str(own.certificate), "/etc/nginx/push.key": str(own.key)}
        self.proxy = getattr(self, f"_{kind}")(directory, paths, tls)

    def _haproxy(self, directory, paths, tls):
        ports = {":443 ": f"127.0.0.1:{self.callers} ", "inter 2s": "inter 100ms",
                 "bind :8883": f"bind 127.0.0.1:{self.devices}", "timeout http-keep-alive 60s": "timeout http-keep-alive 5s",
                 "pool-purge-delay 60s": "pool-purge-delay 1s"}
        for number, node in enumerate(self.nodes):
            host = f"192.0.2.1{number + 1}"
            for clear, door in (("1883", "mqtt"), ("8883", "mqtts"), ("8080", "http"), ("8443", "https")):
                ports[f"{host}:{clear} "] = "%s:%d " % node.ports[door]
        text = substituted((ROOT / f"deploy/haproxy/tls-at-{tls}.cfg").read_text(), ports | SOURCES | paths)
        lines = []
        for line in text.splitlines():
            for number, node in enumerate(self.nodes):
                if f"server node{number + 1}-by" in line:
                    line = line.replace("port 8080", f"port {node.ports['http'][1]}").replace("port 8443", f"port {node.ports['https'][1]}")
            lines.append(line)
        return HAProxy(directory, "\n".join(lines) + "\n")

    def _nginx(self, directory, paths, tls):
        here, there = free_port(), free_port()
        self.devices = here if tls == "balancer" else there
        ports = {"listen 443 ": f"listen 127.0.0.1:{self.callers} ", "listen 8883 ": f"listen 127.0.0.1:{here} ",
                 "listen 8884;": f"listen 127.0.0.1:{there};", "keepalive_timeout 60s": "keepalive_timeout 1s"}
        for number, node in enumerate(self.nodes):
            host = f"192.0.2.1{number + 1}"
            for clear, door in (("1883", "mqtt"), ("8883", "mqtts"), ("8080", "http")):
                for end in (";", " "):
                    ports[f"{host}:{clear}{end}"] = "%s:%d%s" % (*node.ports[door], end)
        texts = [(ROOT / f"deploy/nginx/{name}.conf").read_text() for name in ("callers", "devices")]
        return Nginx(directory, *(substituted(text, ports | SOURCES | paths) for text in texts))

    def __enter__(self):
        self.proxy.__enter__()
        if self.kind == "haproxy":
            self.wait_for_checks({node: "UP" for node in self.nodes})
        else:
            self.proxy.wait_for(self.callers)
        return self

    def __exit__(self, *_):
        self.proxy.__exit__()

    def states(self, node):
        """What HAProxy thinks of a node, for callers and for devices."""
        number = self.nodes.index(node) + 1
        return {self.proxy.states().get(key) for key in (f"callers{number}/node{number}", f"devices{number}/node{number}-by-101")}

    def wait_for_checks(self, wanted):
        for node, state in wanted.items():
            eventually(lambda: self.states(node) == {state}, lambda: f"{self.proxy.states()}\n{self.proxy.log.read_text()}")

    def device(self, node):
        door = type("Door", (), {"mqtts": ("127.0.0.1", self.devices)})
        return Device(door, node.phone.token, node.phone.secret, trust=Named(self.trust, node.name), source=CLIENT)

    def caller(self, node):
        """A connection of a caller's, kept alive."""
        connection = http.client.HTTPSConnection(node.name, self.callers, timeout=PATIENCE, context=self.trust.context())
        connection._create_connection = lambda _, timeout, __: socket.create_connection(
            ("127.0.0.1", self.callers), timeout, source_address=(CLIENT, 0))
        return connection

    def push(self, connection, node, number=None):
        policy = {"out_biz_no": str(number)} if number is not None else None
        body = notification(type="unicast", device_tokens=node.phone.token, policy=policy)
        return exchange_on(connection, "POST", "/psp/push/msg", encode(body), node.app.headers())


def substituted(text, words):
    """A file of deploy/ with other words; each one must stand in some file, which the tests of all of them show."""
    for old, new in words.items():
        text = text.replace(old, new)
    assert "192.0.2." not in "".join(line for line in text.splitlines() if not line.lstrip().startswith("#")), text
    return text


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=["haproxy-balancer", "haproxy-pspd", "nginx-balancer", "nginx-pspd"])
def balanced(request, tmp_path, authority):
    kind, tls = request.param.split("-")
    nodes = [Node(tmp_path, number, authority.issue(f"node{number}-{request.param}", names=SUBJECT)) for number in (0, 1)]
    with nodes[0].server, nodes[1].server:
        for node in nodes:
            node.furnish()
        with Balanced(tmp_path, nodes, authority, kind, tls) as balanced:
            yield balanced


def test_each_node_gets_its_own_and_knows_the_clients(balanced):
    for node in balanced.nodes:
        with balanced.device(node) as device:
            connection = balanced.caller(node)
            device.wait_for(balanced.push(connection, node).ok()["task_id"])
            # A caller's mistake is told in the log, with the address of the caller.
            refused = exchange_on(connection, "GET", "/psp/push/tasks", None, [("appkey", "nobody"), ("X-Forwarded-For", "198.51.100.1")])
            assert refused.status == 500, refused
            connection.close()
        # It is written by a thread of its own.
        eventually(lambda: "a request was refused" in node.server.tail(100_000), node.server.tail)
        log = node.server.tail(100_000)
        assert f'"client":"{CLIENT}"' in log, log
        assert f'"client":"{CLIENT}:' in log and "198.51.100.1" not in log, log


def test_a_callers_mistakes_do_not_count_against_a_node(balanced):
    node = balanced.nodes[0]
    connection = balanced.caller(node)
    for _ in range(60):
        assert exchange_on(connection, "GET", "/psp/push/tasks", None, [("appkey", "nobody")]).status == 500
    if balanced.kind == "haproxy":
        throughout(lambda: balanced.states(node) == {"UP"}, balanced.proxy.states, 0.5)
    assert balanced.push(connection, node).status == 200
    connection.close()


def test_no_push_is_lost_to_a_connection_that_the_node_closes(balanced):
    """Pauses about as long as the connections behind the balancer are kept."""
    node = balanced.nodes[0]

    def one(number):
        connection = balanced.caller(node)
        for turn in range(3):
            reply = balanced.push(connection, node)
            assert reply.status == 200, (number, turn, reply)
            time.sleep(0.8 + number % 16 * 0.025)
        connection.close()

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(one, range(16)))


def pushing(balanced, node):
    """Pushes to a node, each time on a connection of its own."""

    def push(number):
        connection = balanced.caller(node)
        try:
            return balanced.push(connection, node, number).ok()["task_id"]
        finally:
            connection.close()

    return Pusher(push, pause=0.02)


def test_a_node_drains_and_comes_back_and_nothing_is_lost(balanced):
    first, second = balanced.nodes
    devices = {node: balanced.device(node).connect() for node in balanced.nodes}
    pushers = {node: pushing(balanced, node) for node in balanced.nodes}
    for pusher in pushers.values():
        pusher.start()
    try:
        eventually(lambda: all(len(pusher.tasks) > 5 for pusher in pushers.values()), lambda: [pusher.failures[-1:] for pusher in pushers.values()])
        os.kill(first.server.pid, signal.SIGTERM)
        if balanced.kind == "haproxy":
            balanced.wait_for_checks({first: "DOWN", second: "UP"})
        assert devices[first].wait_closed().value in (0x8B, 0x80)
        assert first.server.process.wait(PATIENCE) == 0
        first.server._forget()
        before = len(pushers[second].tasks)
        eventually(lambda: len(pushers[second].tasks) > before + 5, "the other node serves on")
        first.server.start()
        if balanced.kind == "haproxy":
            balanced.wait_for_checks({first: "UP"})
        again = balanced.device(first)
        eventually(lambda: comes(again), "the device comes back")
        before = len(pushers[first].tasks)
        eventually(lambda: len(pushers[first].tasks) > before + 5, "the node serves again")
    finally:
        for pusher in pushers.values():
            pusher.ending.set()
        for pusher in pushers.values():
            pusher.join(PATIENCE)
    assert not pushers[second].failures, pushers[second].failures
    devices[second].wait_for(*pushers[second].tasks)
    received = set(devices[first].tasks())
    again.wait_for(*(task for task in pushers[first].tasks if task not in received))
    again.disconnect()
    devices[second].disconnect()


def comes(device):
    try:
        device.connect()
        return True
    except (OSError, AssertionError):
        return False
