"""Clients that mean no good beside callers and devices that behave: these are answered and served as if the others were not there."""

import concurrent.futures
import contextlib
import dataclasses
import statistics
import threading
import time

import pytest

from kit import wire
from kit.attack import flood, slow_http
from kit.load import Latency, Load
from kit.prometheus import Metrics
from kit.server import Server
from kit.waiting import eventually
from kit.world import World

pytestmark = pytest.mark.alone

DEVICES = 50
RATE = 100
SECONDS = 3
# A window in which the machine had something else to do is no verdict.
TRIES = 3
# What is shorter than this many milliseconds is as good as nothing, for a median and for the slowest of a hundred.
LEAST = Latency(5, 60)
BOUNDS = [
    "--http-connections", "200", "--request-timeout", "3", "--connect-timeout", "2", "--failed-logins-per-address", "100", "--reconnects-per-minute", "0",
]


class Scene:
    """A server with all bounds that matter, devices that are connected and a caller who pushes to them."""

    def __init__(self, directory, server, stack):
        self.directory, self.server = directory, server
        world = World(server)
        self.caller = world.app()
        home, prefix = world.org("home"), world.name("device-")
        lines = [{"kind": "device", "id": f"{prefix}{number}", "platform": "android", "org_id": home, "secret": f"secret-{number}"}
                 for number in range(DEVICES + 1)]
        assert world.admin.import_lines(lines).ok()["failed"] == 0
        self.load = stack.enter_context(Load(server, self.caller, prefix, DEVICES))
        self.newcomer = f"{prefix}{DEVICES}", f"secret-{DEVICES}"

    def measure(self):
        """How long everybody waits who behaves: for the answer to a push, for the push on the device; and, who comes anew, for both from the connection
        on."""
        done = threading.Event()

        def come_anew():
            latencies = []
            while not done.wait(0.02):
                latencies.append(self.connect_and_receive())
            return latencies

        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            coming = pool.submit(come_anew)
            try:
                answer, delivery = self.load.push(SECONDS, RATE)
            finally:
                done.set()
            latencies = coming.result()
        assert len(latencies) > 10
        return {"answer": answer, "delivery": delivery, "newcomer": Latency(statistics.median(latencies), sorted(latencies)[-1 - len(latencies) // 20])}

    def connect_and_receive(self):
        token, secret = self.newcomer
        began = time.monotonic()
        with wire.Wire(self.server, wire.connect(4, token, secret)) as device:
            assert device.expect(wire.CONNACK) == b"\0\0"
            self.caller.to_device(token)
            body = device.expect(wire.PUBLISH)
            waited = time.monotonic() - began
            # At QoS 1 the packet's identifier stands behind the topic.
            device.send(wire.packet(wire.PUBACK << 4, body[2 + body[1]:4 + body[1]]))
            device.send(wire.packet(wire.DISCONNECT << 4))
        return waited * 1000


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    directory = tmp_path_factory.mktemp("hostile")
    with Server(directory / "data", *BOUNDS) as server, contextlib.ExitStack() as stack:
        scene = Scene(directory, server, stack)
        scene.calm = scene.measure()
        yield scene
        stack.close()
        assert server.stop() == 0


def is_within(now, calm):
    return all(
        getattr(latency, field.name) <= max(2 * getattr(calm[kind], field.name), getattr(LEAST, field.name))
        for kind, latency in now.items() for field in dataclasses.fields(Latency))


def assert_unharmed(scene, attack, has_struck):
    """Everybody is served within twice the time that it takes without the attack. `has_struck`: whether the metrics, of before and of now, show it.

    The machine may have become slower: then that is measured anew. But a server that the attack has harmed for good is slow
    too, so that the new time counts only within twice the first.
    """
    calm = scene.calm
    windows = []
    for _ in range(TRIES):
        before = Metrics(scene.server)
        with attack() as running:
            eventually(lambda: has_struck(before, Metrics(scene.server)), lambda: f"the attack is seen: {running.told()[-1000:]}", timeout=20)
            now = scene.measure()
        windows.append((now, calm))
        if is_within(now, calm):
            return
        again = scene.measure()
        calm = again if is_within(again, scene.calm) else scene.calm
    pytest.fail(f"never within twice the time: {windows}")


def grew(name, **labels):
    """A counter, which may not be there before it counts."""
    return lambda before, now: now.sum(name, **labels) > before.sum(name, **labels) + 50


def full(before, now):
    """It has more connections than there is room for, and others get in."""
    return grew("psp_http_full_total", listener="callers", result="closed_another")(before, now)


def test_slow_heads(scene):
    def struck(before, now):
        return full(before, now) or grew("psp_http_timeouts_total", of="request")(before, now)

    assert_unharmed(scene, lambda: slow_http(scene.directory, "H", scene.server.http, "/psp/push/msg"), struck)


def test_slow_bodies_of_strangers_are_refused_by_their_heads(scene):
    assert_unharmed(scene, lambda: slow_http(scene.directory, "B", scene.server.http, "/psp/push/msg"),
                    grew("psp_push_errors_total", interface="msg", code=2001))


def test_slow_bodies_of_an_app(scene):
    """Of one that is known, and whose connections stay within the room: their time is bounded as a whole."""
    assert_unharmed(
        scene, lambda: slow_http(scene.directory, "B", scene.server.http, "/psp/push/msg", connections=150, headers=scene.caller.headers()),
        grew("psp_http_timeouts_total", of="request"))


def test_slow_readers(scene):
    def struck(before, now):
        return full(before, now) and now("psp_connections", kind="caller") <= 2 * (200 + 64)

    assert_unharmed(scene, lambda: slow_http(scene.directory, "X", scene.server.http, "/psp/openapi.yaml"), struck)


def test_a_flood_of_connections(scene):
    """They say nothing, and are let go when a CONNECT would be due."""
    assert_unharmed(scene, lambda: flood(scene.directory, scene.server.mqtt, "connects", held=10_000), grew("psp_connect_timeouts_total"))


def test_a_flood_of_unknown_names(scene):
    """After the first hundred they are refused before the store is asked."""
    assert_unharmed(scene, lambda: flood(scene.directory, scene.server.mqtt, "names"), grew("psp_connects_total", result="failed_logins"))
