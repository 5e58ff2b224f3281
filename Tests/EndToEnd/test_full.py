"""A server that has as many connections as its machine gives it: who gets in, who is told what, and that it goes on."""

import contextlib
import http.client
import json
import socket
import time

import pytest

from kit.device import Device
from kit.rest import AdminClient, notification
from kit.server import Server
from kit.waiting import PATIENCE, eventually
from kit.world import World

OPEN_FILES = 320


class SmallServer(Server):
    """One that may have few open files."""

    def command(self):
        return ["sh", "-c", f'ulimit -n {OPEN_FILES} && exec "$@"', "sh", *super().command()]


@pytest.fixture
def small(tmp_path):
    with SmallServer(tmp_path / "data", "--loops", "1", "--log-format", "json") as server:
        yield server
        assert server.stop() == 0


def lines(server, message):
    return [line for line in map(json.loads, server.log.read_text().splitlines()) if line["message"] == message]


def ask(address, target, timeout=5):
    """One request; the time says that nobody hangs."""
    connection = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        connection.request("GET", target)
        response = connection.getresponse()
        return response.status, response.read(), response.headers
    finally:
        connection.close()


def test_silent_connections_keep_nobody_out(small):
    """On every listener many more than it takes."""
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            for door in (small.http, small.mqtt, small.admin):
                for _ in range(OPEN_FILES):
                    stack.enter_context(socket.create_connection(door, timeout=PATIENCE))
            for door in (small.http, small.admin):
                assert ask(door, "/healthz")[0] == 200 and ask(door, "/readyz")[0] == 200
        world = World(small)
        caller = world.app()
        registered = world.device("phone", world.org("home"))
        phone = stack.enter_context(contextlib.closing(Device(small, registered.token, registered.secret).connect().client.socket()))
        assert caller.push(notification(type="unicast", device_tokens=registered.token)).status == 200
    assert len(lines(small, "the listener is full")) == 2, "one line a minute of each listener"
    assert len(lines(small, "no room for another device")) == 1
    assert not lines(small, "connections could not be accepted") and not lines(small, "devices cannot be accepted")


def test_heads_that_drip_in_keep_no_operator_out(small):
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(small.admin, timeout=PATIENCE)) for _ in range(100)]
        begin = time.monotonic()
        while time.monotonic() - begin < 4:
            for connection in slow:
                with contextlib.suppress(OSError):
                    connection.sendall(b"G")
            time.sleep(0.5)
        assert ask(small.admin, "/healthz")[0] == 200


def test_devices_fill_it_and_the_operators_get_in(small, device):
    world = World(small)
    caller = world.app().keep_connection()
    home = world.org("home")
    assert caller.to_org(home, title="first")
    phones = []
    tokens = [world.device(f"phone-{number}", home) for number in range(OPEN_FILES)]
    for registered in tokens:
        phone = device(small, registered, ("5.0", "3.1.1")[len(phones) % 2])
        phone.begin_connecting()
        eventually(lambda: phone.connack is not None or phone.reason is not None, "an answer")
        if phone.connack.is_failure:
            break
        phones.append(phone)
    assert 50 < len(phones) < OPEN_FILES - 100
    # Each version in its own words.
    for version, value in (("5.0", 0x97), ("3.1.1", 0x88)):
        refused = device(small, tokens[-1], version)
        refused.begin_connecting()
        eventually(lambda: refused.connack is not None, "CONNACK")
        assert refused.connack.value == value
    # A caller that has a connection goes on, a new one is told; operators and supervisors get in.
    task = caller.to_org(home, title="second")
    for phone in phones:
        phone.wait_for(task)
    status, body, headers = ask(small.http, "/psp/push/task/1")
    assert (status, json.loads(body)["data"]["error_code"], headers["Connection"]) == (503, 2302, "close")
    assert int(headers["Retry-After"]) >= 1
    for door in (small.http, small.admin):
        assert ask(door, "/healthz")[0] == 200 and ask(door, "/readyz")[0] == 200
    assert AdminClient(small).is_online(tokens[0].token)
    # When some leave, others get in.
    for phone in phones[:5]:
        phone.disconnect()
    late = tokens[-1]

    def gets_in():
        latecomer = device(small, late)
        latecomer.begin_connecting()
        eventually(lambda: latecomer.connack is not None, "CONNACK")
        return not latecomer.connack.is_failure

    eventually(gets_in, "a device gets in")
    caller.close()


def test_a_limit_of_callers_is_each_loops(tmp_path):
    with Server(tmp_path / "data", "--loops", "1", "--http-connections", "3") as server, contextlib.ExitStack() as stack:
        # Half of a body is not silence.
        caller = World(server).app()
        for _ in range(3):
            busy = stack.enter_context(socket.create_connection(server.http, timeout=PATIENCE))
            head = "".join(f"{name}: {value}\r\n" for name, value in caller.headers())
            busy.sendall(f"POST /psp/push/msg HTTP/1.1\r\nHost: x\r\n{head}Content-Length: 100\r\n\r\n{{".encode())
        eventually(lambda: ask(server.http, "/psp/push/task/1")[0] == 503, "full")
        assert ask(server.http, "/healthz")[0] == 200
