"""How large a request and a packet may be: what is as large as the settings say is taken, and one byte more is not."""

import pytest

from kit import wire
from kit.rest import encode, notification
from kit.server import Server
from kit.world import World


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("small") / "data", "--max-body", "4096", "--max-head", "4096", "--max-packet", "1024") as server:
        world = World(server)
        world.caller = world.app()
        world.phone = world.device("phone", world.org("home"))
        yield world


def test_a_body(small):
    body = encode(notification(type="unicast", device_tokens=small.phone.token))
    for size in (4_095, 4_096):
        small.caller.push(body + b" " * (size - len(body))).ok()
    reply = small.caller.push(body + b" " * (4_097 - len(body)))
    assert (reply.status, reply.code) == (413, 2106) and "4,096" in reply.data["error_msg"].replace("4096", "4,096"), reply
    # An import has a bound of its own.
    line = {"kind": "org", "id": small.name("org"), "name": "n"}
    assert small.admin.import_lines([line] * 200).ok()["failed"] == 0


def test_a_head(small):
    def ask(filler):
        return small.caller.call("GET", "/psp/push/tasks", headers=small.caller.headers() + [("X-Filler", "x" * filler)])

    assert ask(3_000).status == 200
    reply = ask(4_096)
    assert (reply.status, reply.code) == (413, 2106), reply


@pytest.mark.parametrize("over", [0, 1])
def test_a_packet(small, over):
    packet = wire.publish(5, "elsewhere", b"x" * 1_000)
    packet = wire.publish(5, "elsewhere", b"x" * (1_000 + 1_024 - len(packet) + over))
    assert len(packet) == 1_024 + over
    other = small.device(f"other-{over}", small.org("home"))
    with wire.Wire(small.server, wire.connect(5, other.token, other.secret)) as opened:
        connack = opened.expect(wire.CONNACK)
        assert b"\x27\x00\x00\x04\x00" in connack, "Maximum Packet Size"
        opened.send(packet)
        if over:
            assert [(first, body[0]) for first, body in opened.rest()] == [(0xE0, 0x95)]
        else:
            opened.expect(wire.PUBACK)
