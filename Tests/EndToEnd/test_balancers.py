"""What stands between callers and the server: its health checks find a healthy server healthy, and its connections are kept."""

import http.client
import os
import signal
import socket

from kit.proxies import HAProxy
from kit.waiting import PATIENCE, eventually

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
