"""Large imports: they outlive who hands them in, and the server itself."""

import json
import socket

import pytest

from kit.rest import AdminClient
from kit.waiting import eventually
from kit.world import World

LINES = 60_000


def lines(org, name):
    return b"".join(
        json.dumps({"kind": "device", "id": f"{name}-{n}", "platform": "ios", "org_id": org, "secret": "s"}).encode() + b"\n"
        for n in range(LINES)
    )


def request(server, body):
    return (
        f"POST /psp/admin/import HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.admin_token}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


@pytest.mark.heavy
def test_an_import_goes_on_when_the_server_is_killed_and_applies_each_line_once(own_server):
    world, admin = World(own_server), AdminClient(own_server)
    org = world.org("home")
    connection = socket.create_connection(own_server.admin)
    connection.sendall(request(own_server, lines(org, "d")))

    def running():
        return [one for one in admin.items("/psp/admin/imports") if one["state"] == "running"]

    number = eventually(running, "it has begun")[0]["import_id"]
    # Whoever handed it in is gone, and then the server, three times.
    connection.close()
    for part in (0, LINES // 3, LINES // 2):
        eventually(lambda: admin.imported(number).ok()["done"] >= part, lambda: admin.imported(number).data, timeout=300)
        own_server.kill()
        own_server.start()
    told = eventually(lambda: [one for one in [admin.imported(number).ok()] if one["state"] != "running"], "its end", timeout=300)[0]
    assert (told["state"], told["lines"], told["done"]) == ("done", LINES, LINES)
    assert (told["created"], told["updated"], told["failed"]) == (LINES, 0, 0), "each line once"
    assert told["ended_at"] >= told["started_at"] and "time_left" not in told
    assert admin.get("orgs", org).ok()["devices"] == LINES


def test_an_import_that_nobody_waits_for_is_done(own_server):
    world, admin = World(own_server), AdminClient(own_server)
    org = world.org("home")
    connection = socket.create_connection(own_server.admin)
    connection.sendall(request(own_server, lines(org, "d")))
    eventually(lambda: admin.get("orgs", org).ok()["devices"] > 0, "its first device")
    connection.close()
    eventually(lambda: admin.get("orgs", org).ok()["devices"] == LINES, "its last device", timeout=300)


def test_an_import_that_ends_with_the_server_goes_on_with_the_next(own_server):
    world, admin = World(own_server), AdminClient(own_server)
    org = world.org("home")
    connection = socket.create_connection(own_server.admin)
    connection.sendall(request(own_server, lines(org, "d")))
    eventually(lambda: admin.get("orgs", org).ok()["devices"] > 0, "its first device")
    # A stop does not wait for the last line: whoever waits is told how far it is.
    assert own_server.stop() == 0
    answer = connection.recv(65536)
    connection.close()
    assert answer.startswith(b"HTTP/1.1 202 ") and b'"import_id"' in answer or answer.startswith(b"HTTP/1.1 200 "), answer
    own_server.start()
    eventually(lambda: admin.get("orgs", org).ok()["devices"] == LINES, "its last device", timeout=300)
