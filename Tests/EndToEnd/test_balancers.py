"""What stands between callers and the server: its health checks find a healthy server healthy, and its connections are kept."""

import concurrent.futures
import http.client
import os
import signal
import socket
import time

import pytest

from kit.proxies import HAProxy, Nginx, free_port
from kit.rest import notification
from kit.server import ROOT, Server
from kit.waiting import PATIENCE, eventually
from kit.world import World

# What balancers ask: HAProxy by default, the usual addresses, a connection that says nothing; and each of our own.
CHECKS = {
    "tcp": "",
    "options": "option httpchk",
    "head": "option httpchk HEAD /",
    "root": "option httpchk GET /\n http-check send hdr Host balancer",
    "alive": "option httpchk GET /healthz",
    "ready": "option httpchk HEAD /readyz",
    "modern": "option httpchk\n http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host pspd hdr Connection close",
    "star": "option httpchk\n http-check send meth OPTIONS uri * ver HTTP/1.1 hdr Host pspd",
}


def backends(doors, checks):
    text = "global\ndefaults\n mode http\n timeout connect 5s\n timeout server 5s\n timeout check 5s\n"
    for door, (host, port) in doors.items():
        for name in checks:
            text += f"backend {door}-{name}\n {CHECKS[name]}\n server pspd {host}:{port} check inter 100ms fall 1 rise 1\n"
    return text


def test_the_usual_checks_find_a_healthy_server_healthy(server, tmp_path):
    with HAProxy(tmp_path, backends({"callers": server.http, "operators": server.admin}, CHECKS)) as haproxy:
        wanted = {
            f"{door}-{name}": ("UP", "L4OK" if name == "tcp" else "L7OK") for door in ("callers", "operators") for name in CHECKS}
        eventually(lambda: haproxy.checks() == wanted, lambda: f"{haproxy.checks()}\n{haproxy.log.read_text()}")


def test_a_server_that_ends_is_alive_and_not_ready(own_server, tmp_path):
    with HAProxy(tmp_path, backends({"operators": own_server.admin}, ["alive", "ready"])) as haproxy:
        eventually(lambda: haproxy.checks().get("operators-ready") == ("UP", "L7OK"), haproxy.checks)
        # A caller that never sends the rest holds the end up for two seconds.
        with socket.create_connection(own_server.http, timeout=PATIENCE) as slow:
            slow.sendall(b"POST /psp/push/msg HTTP/1.1\r\nHost")
            os.kill(own_server.pid, signal.SIGTERM)
            eventually(lambda: haproxy.checks().get("operators-ready") == ("DOWN", "L7STS"), haproxy.checks, interval=0.01)
            assert haproxy.checks()["operators-alive"] == ("UP", "L7OK")
            connection = http.client.HTTPConnection(*own_server.admin, timeout=PATIENCE)
            connection.request("GET", "/readyz")
            assert b'"cause":"draining"' in connection.getresponse().read()
            connection.close()
    assert own_server.stop() == 0


def with_ports(text, ports):
    """A file of deploy/ with other addresses; each of the given ones stands in it."""
    for old, new in ports.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


@pytest.fixture
def caller(tmp_path):
    """An app of a server that keeps idle connections for two seconds."""
    with Server(tmp_path / "data", "--http-idle", "2") as server:
        world = World(server)
        world.org("home")
        world.device("phone", world.name("home"))
        caller = world.app()
        caller.body = notification(type="unicast", device_tokens=world.name("phone"))
        yield caller
        assert server.stop() == 0


def push_through(caller, port):
    """Pushes by a balancer, with pauses about as long as the connections behind it are kept; all must be answered."""
    address = type("Address", (), {"http": ("127.0.0.1", port)})
    caller.server = address

    def one(number):
        for turn in range(4):
            reply = caller.push(caller.body)
            assert reply.status == 200, (number, turn, reply)
            time.sleep(0.8 + number % 16 * 0.025)

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        list(pool.map(one, range(32)))


def test_no_push_is_lost_between_nginx_and_an_idle_connection(caller, tmp_path):
    port = free_port()
    text = with_ports((ROOT / "deploy/nginx.conf").read_text(), {
        "listen 80;": f"listen 127.0.0.1:{port};", "127.0.0.1:8080": "%s:%d" % caller.server.http, "keepalive_timeout 60s": "keepalive_timeout 1s"})
    with Nginx(tmp_path, text) as nginx:
        nginx.wait_for(port)
        push_through(caller, port)


def test_callers_and_devices_come_through_haproxy_as_it_is_in_deploy(caller, tmp_path, device):
    server = caller.server
    callers, devices = free_port(), free_port()
    text = with_ports((ROOT / "deploy/haproxy.cfg").read_text(), {
        "bind :80\n": f"bind 127.0.0.1:{callers}\n", "bind :1883\n": f"bind 127.0.0.1:{devices}\n",
        "127.0.0.1:1883 port 8080": "%s:%d port %d" % (*server.mqtt, server.http[1]), "127.0.0.1:8080": "%s:%d" % server.http,
        "inter 2s": "inter 100ms"})
    with HAProxy(tmp_path, text) as haproxy:
        up = {"pspd-callers": ("UP", "L7OK"), "pspd-devices": ("UP", "L7OK")}
        eventually(lambda: haproxy.checks() == up, lambda: f"{haproxy.checks()}\n{haproxy.log.read_text()}")
        phone = World(server).device("tablet", caller.appkey.removesuffix("app") + "home")
        through = type("Address", (), {"mqtt": ("127.0.0.1", devices)})
        connected = device(through, phone).connect()
        push_through(caller, callers)
        caller.server = server
        connected.wait_for(caller.to_device(phone.token))
