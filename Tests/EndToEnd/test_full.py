"""A server that has as many connections as its machine gives it: who gets in, who is told what, and that it goes on."""

import contextlib
import http.client
import json
import socket
import time

import pytest

from kit.rest import AdminClient
from kit.server import Server
from kit.waiting import PATIENCE, eventually
from kit.world import World

OPEN_FILES = 210


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


def ask(address, target, timeout=20):
    """One request; the time says that nobody hangs."""
    connection = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        connection.request("GET", target)
        response = connection.getresponse()
        return response.status, response.read(), response.headers
    finally:
        connection.close()


def test_silent_connections_keep_nobody_out(small, device):
    """On every listener many more than it takes."""
    with contextlib.ExitStack() as stack:
        # Fewer than 1,024 in all, which is as many as paho can have beside them.
        for door, count in ((small.http, 200), (small.mqtt, 200), (small.admin, 100), (small.http, 50), (small.mqtt, 50)):
            for _ in range(count):
                stack.enter_context(socket.create_connection(door, timeout=PATIENCE))
            for door in (small.http, small.admin):
                assert ask(door, "/healthz")[0] == 200 and ask(door, "/readyz")[0] == 200
        world = World(small)
        caller = world.app()
        registered = world.device("phone", world.org("home"))
        phone = device(small, registered).connect()
        phone.wait_for(caller.to_device(registered.token))
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
    registered = [world.device(f"phone-{number}", home) for number in range(100)]
    phones = []
    caller.to_org(home)

    def connect(of, version="5.0"):
        phone = device(small, of, version)
        phone.begin_connecting()
        eventually(lambda: phone.connack is not None, "CONNACK")
        return phone

    def fill():
        while True:
            phone = connect(registered[len(phones)], ("5.0", "3.1.1")[len(phones) % 2])
            if phone.connack.is_failure:
                return
            phones.append(phone)

    fill()
    assert 20 < len(phones) < 90
    # Each version in its own words.
    assert connect(registered[-1], "5.0").connack.value == 0x97
    assert connect(registered[-1], "3.1.1").connack.value == 0x88, "what paho makes of 3"
    # A caller that has a connection goes on.
    task = caller.to_org(home)
    for phone in phones:
        phone.wait_for(task)
    # Its connection would make room for another one; without it a caller is told. Operators and supervisors get in.
    caller.close()
    eventually(lambda: not connect(registered[len(phones)]).connack.is_failure, "a device gets its place")
    status, body, headers = ask(small.http, "/psp/push/task/1")
    assert (status, json.loads(body)["data"]["error_code"], headers["Connection"]) == (503, 2302, "close")
    assert int(headers["Retry-After"]) >= 1
    for door in (small.http, small.admin):
        assert ask(door, "/healthz")[0] == 200 and ask(door, "/readyz")[0] == 200
    assert AdminClient(small).is_online(registered[0].token)
    # When some leave, others get in.
    for phone in phones[:5]:
        phone.disconnect()
    eventually(lambda: not connect(registered[-1]).connack.is_failure, "a device gets in")


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
