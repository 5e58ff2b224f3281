"""`pspctl doctor --through`: what a balancer makes of requests, seen by the server itself."""

import json
import re

import pytest

from conftest import run
from kit.ports import free_port
from kit.proxies import HAProxy, Nginx
from kit.rest import AdminClient
from kit.server import USES_POSTGRES, Server, binary

# By it the balancer goes on, so that the server can tell it from this machine, which the system calls 127.0.0.1.
SOURCE = "127.0.0.2"
# Balancer and client are one machine in these tests, which doctor says.
HERE = {"client's address": "warning"}


@pytest.fixture(scope="module")
def trusting(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("trusting") / "data", "--forwarded-from", SOURCE) as server:
        yield server


def haproxy(directory, server, port, *lines, forward=True):
    text = "global\ndefaults\n mode http\n timeout connect 5s\n timeout server 9s\n timeout client 9s\n"
    text += f"frontend callers\n bind 127.0.0.1:{port}\n default_backend node\n" + "".join(f" {line}\n" for line in lines)
    text += " option forwardfor\n" if forward else ""
    return HAProxy(directory, text + "backend node\n server node %s:%d source %s\n" % (*server.http, SOURCE))


def doctor(server, port):
    return run(binary("pspctl"), "doctor", "--through", f"http://127.0.0.1:{port}", "--json", PSP_DATA=str(server.data))


def traces(server):
    """Those that run."""
    return AdminClient(server).call("GET", "/psp/admin/trace").ok()["items"]


def findings(server, port):
    """Texts of what is said of the balancer, by subject, and which of them are not good."""
    ended = doctor(server, port)
    assert ended.returncode in (0, 1), ended
    told = json.loads(ended.stdout)["findings"]
    begin = [each["subject"] for each in told].index("through the balancer")
    told = told[begin:]
    return {each["subject"]: each["text"] for each in told}, {each["subject"]: each["level"] for each in told if each["level"] != "good"}


def test_a_balancer_as_it_should_be_has_nothing_to_be_fixed(trusting, tmp_path):
    port = free_port()
    with haproxy(tmp_path, trusting, port) as balancer:
        balancer.wait_for(port)
        texts, to_fix = findings(trusting, port)
    assert to_fix == HERE and "127.0.0.1" in texts["client's address"], texts
    assert texts["X-Request-Id"] == "passed on" and texts["largest body"] == "64 KiB pass" and "75 s" in texts["idle time"]
    assert traces(trusting) == []


def test_a_server_that_takes_less_says_so_itself(tmp_path):
    port = free_port()
    with Server(tmp_path / "data", "--forwarded-from", SOURCE, "--max-body", "16384") as server:
        with haproxy(tmp_path, server, port) as balancer:
            balancer.wait_for(port)
            texts, to_fix = findings(server, port)
    assert to_fix == HERE, texts
    assert re.search("the server itself takes no 64 KiB: .*16384 bytes at most", texts["largest body"]), texts


def test_no_trace_is_left_behind_where_the_balancer_fails(trusting, tmp_path):
    port = free_port()
    with haproxy(tmp_path, trusting, port, "http-request reject unless { path /readyz }") as balancer:
        balancer.wait_for(port)
        ended = doctor(trusting, port)
    assert ended.returncode == 1 and "cannot reach" in ended.stdout, ended
    assert traces(trusting) == []


def test_nginx_as_it_should_be_as_well(trusting, tmp_path):
    port = free_port()
    text = f"""server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{trusting.http[1]}; proxy_bind {SOURCE};
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }} }}"""
    with Nginx(tmp_path, text) as balancer:
        balancer.wait_for(port)
        texts, to_fix = findings(trusting, port)
    assert to_fix == HERE, texts


def test_by_the_standard_header_as_well(tmp_path):
    """RFC 7239. What the balancer appends stands behind whatever its client has sent, which doctor forges."""
    port, other = free_port(), free_port()
    flags = ["--forwarded-from", SOURCE, "--forwarded-header", "Forwarded"]
    (tmp_path / "none").mkdir()
    with Server(tmp_path / "data", *flags) as server:
        with haproxy(tmp_path, server, port, "http-request add-header Forwarded for=%[src];proto=http", forward=False) as balancer:
            balancer.wait_for(port)
            texts, to_fix = findings(server, port)
            assert to_fix == HERE and "127.0.0.1" in texts["client's address"], texts
        # One that appends to the other header is none that tells.
        with haproxy(tmp_path / "none", server, other) as balancer:
            balancer.wait_for(other)
            texts, to_fix = findings(server, other)
            assert to_fix == {"client's address": "fault"} and "believes" in texts["client's address"], texts


def test_each_mistake_is_told(trusting, server, tmp_path):
    def judged(of, *lines, name, **options):
        port = free_port()
        (tmp_path / name).mkdir()
        with haproxy(tmp_path / name, of, port, *lines, **options) as balancer:
            balancer.wait_for(port)
            return findings(of, port)

    texts, to_fix = judged(server, name="untrusted")
    assert to_fix == HERE and f"sees {SOURCE}" in texts["client's address"], texts
    texts, to_fix = judged(trusting, name="forged", forward=False)
    assert to_fix == {"client's address": "fault"} and "believes" in texts["client's address"], texts
    texts, to_fix = judged(trusting, "http-request deny deny_status 413 if { req.hdr(content-length) -m int gt 9999 }", name="small")
    # Its answer, or, where it has closed the connection before that was read, what has become of it.
    assert to_fix == HERE | {"largest body": "fault"} and re.search("413|cut", texts["largest body"]), texts
    texts, to_fix = judged(trusting, "http-request del-header appkey", name="dropped")
    assert to_fix == {"client's address": "fault"} and "no request came" in texts["client's address"], texts
    texts, to_fix = judged(trusting, "http-after-response set-header Connection close", "option httpclose", name="closing")
    assert to_fix == HERE | {"keep-alive": "fault"}, texts
    texts, to_fix = judged(trusting, "http-request return status 503 if { path /readyz }", name="unready")
    assert to_fix == {"through the balancer": "fault"} and "when one is ready" in texts["through the balancer"], texts


def test_nobody_there_is_one_more_finding(server):
    ended = doctor(server, free_port())
    told = json.loads(ended.stdout)["findings"]
    assert ended.returncode == 1 and told[-1]["level"] == "fault" and "cannot reach" in told[-1]["text"], ended
    own = {"lease"} if USES_POSTGRES else {"disk"}
    assert {"state", "descriptors"} | own <= {each["subject"] for each in told}
