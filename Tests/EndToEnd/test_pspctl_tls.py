"""The operator's command line by TLS: what it does, and whom it does not speak to."""

import concurrent.futures
import json
import os
import signal
import socket
import ssl
import subprocess
import time

import pytest

from conftest import run
from kit.certificates import Authority
from kit.server import Server, binary
from kit.waiting import eventually
from kit.wire import Wire, connect
from kit.world import World


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secure(tmp_path_factory, authority):
    """Its operators' listener is on every address of the machine; its certificate is made out to localhost and 127.0.0.1."""
    doors = {"PSP_HTTP": "off", "PSP_HTTPS": "127.0.0.1:0", "PSP_ADMINS": "0.0.0.0:0"}
    flags = [*authority.issue("server").flags(), "--http-idle", "1"]
    with Server(tmp_path_factory.mktemp("tls") / "data", *flags, environment=doors) as running:
        yield running
        assert running.stop() == 0


def address(server, host="localhost"):
    return f"https://{host}:{server.admins[1]}"


@pytest.fixture
def ctl(secure, authority, tmp_path):
    """Runs a command against the operators' listener with TLS, from a directory that no server has."""

    def command(*arguments, host="localhost", ca=authority.certificate, url=None, **environment):
        trust = ["--ca", str(ca)] if ca else []
        return run(
            binary("pspctl"), *arguments, "--admin", url or address(secure, host), *trust, PSP_ADMIN_TOKEN=secure.admin_token, PSP_DATA=str(tmp_path),
            **environment)

    return command


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_it_does_what_it_does_in_clear(ctl, secure, tmp_path, host):
    org = World(secure).name("home")
    assert ctl("org", "add", org, "--name", "北京", host=host).stdout == f"created organisation {org}\n"
    assert json.loads(ctl("org", "show", org, "--json", host=host).stdout)["name"] == "北京"
    lines = tmp_path / "orgs.ndjson"
    lines.write_text("".join(json.dumps({"kind": "org", "id": f"{org}.{number}", "name": "x" * 100}) + "\n" for number in range(3_000)))
    assert ctl("import", str(lines), host=host).returncode == 0
    listed = ctl("org", "list", "--all", "--json", host=host)
    assert len([found for found in json.loads(listed.stdout) if found["org_id"].startswith(org)]) == 3_001


def test_it_trusts_whom_the_system_trusts(ctl, authority):
    assert ctl("status", ca=None, SSL_CERT_FILE=str(authority.certificate)).returncode == 0


def test_an_authority_that_another_has_signed_is_trusted_by_itself(tmp_path):
    middle = Authority(tmp_path / "root").make_authority("middle")
    with Server(tmp_path / "data", *middle.issue("server").flags(), environment={"PSP_ADMINS": "127.0.0.1:0"}) as server:
        command = (binary("pspctl"), "status", "--admin", address(server))
        found = run(*command, "--ca", str(middle.certificate), PSP_ADMIN_TOKEN=server.admin_token)
    assert found.returncode == 0, found


def test_a_connection_that_breaks_after_the_handshake_is_no_distrust(authority, tmp_path):
    """The call has been sent then."""
    own = authority.issue("breaking")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate, own.key)

    def break_it(listener):
        plain, _ = listener.accept()
        with context.wrap_socket(plain, server_side=True) as secure:
            assert secure.recv(65_536)
            with socket.socket(fileno=secure.detach()) as bare:
                bare.sendall(b"this is no record" * 10)
                bare.shutdown(socket.SHUT_WR)
                while bare.recv(65_536):
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listener, concurrent.futures.ThreadPoolExecutor(1) as pool:
        breaking = pool.submit(break_it, listener)
        url = "https://127.0.0.1:%d" % listener.getsockname()[1]
        found = run(
            binary("pspctl"), "status", "--admin", url, "--ca", str(authority.certificate), PSP_ADMIN_TOKEN="x" * 32,
            PSP_DATA=str(tmp_path))
        breaking.result(30)
    assert found.returncode == 1 and "cannot reach the server" in found.stderr, found


def test_a_connection_that_the_server_has_closed_is_made_again(ctl):
    """It closes those that are silent for a second."""
    shown = ctl("top", "--interval", "2", "--count", "2")
    assert shown.returncode == 0 and len(shown.stdout.splitlines()) == 3, shown


def test_it_pushes_by_the_listener_with_tls_where_there_is_no_other(ctl, secure, authority):
    world = World(secure)
    org, app, token = (world.name(name) for name in ("home", "app", "phone"))
    ctl("org", "add", org, "--name", org)
    secret = json.loads(ctl("app", "add", app, "--name", app, "--interface", "msg", "--json").stdout)["master_secret"]
    ctl("device", "add", token, "--platform", "android", "--org", org)
    push = ("push", "unicast", token, "--app", app, "--secret", secret, "--title", "hello", "--ca", str(authority.certificate))
    found = run(binary("pspctl"), *push, PSP_DATA=str(secure.data))
    assert found.returncode == 0 and found.stdout.startswith("task "), found
    named = run(binary("pspctl"), *push, "--http", "https://%s:%d" % secure.https)
    assert named.returncode == 0 and named.stdout.startswith("task "), named


def test_it_follows_a_trace(secure, authority):
    world = World(secure)
    device = world.device("phone", world.org("home"))
    environment = os.environ | {"PSP_ADMIN_TOKEN": secure.admin_token, "LC_ALL": "C.UTF-8"}
    command = [binary("pspctl"), "trace", "--device", device.token, "--json", "--admin", address(secure), "--ca", str(authority.certificate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as tracing:
        try:
            eventually(lambda: world.admin.call("GET", "/psp/admin/trace").ok()["items"], "the trace has begun")
            with Wire(secure, connect(5, device.token, device.secret)):
                assert json.loads(tracing.stdout.readline())["event"]
        finally:
            tracing.send_signal(signal.SIGTERM)
        assert tracing.wait(30) == 0


@pytest.mark.parametrize(("options", "complaint", "chinese"), [
    ({"ca": None}, "no authority that is trusted has signed its certificate", "不是由受信任的机构签发"),
    ({"host": "127.0.0.2"}, "made out to another name", "名称与此不符"),
    ({"ca": "/none.pem"}, "/none.pem: cannot be read", "无法读取"),
], ids=["authority", "name", "file"])
def test_whom_it_does_not_trust_it_does_not_speak_to(ctl, options, complaint, chinese):
    refused = ctl("status", **options)
    assert (refused.returncode, refused.stdout) == (1, "") and complaint in refused.stderr, refused
    assert chinese in ctl("status", LC_ALL="zh_CN.UTF-8", **options).stderr


def test_an_expired_certificate_is_told(tmp_path, authority):
    now = time.time()
    flags = authority.issue("expired", begins=now - 7200, ends=now - 3600).flags()
    with Server(tmp_path / "data", *flags, environment={"PSP_ADMINS": "127.0.0.1:0"}) as server:
        refused = run(binary("pspctl"), "status", "--admin", address(server), "--ca", str(authority.certificate), PSP_ADMIN_TOKEN=server.admin_token)
    assert refused.returncode == 1 and "its certificate has expired" in refused.stderr, refused


def test_a_listener_in_clear_and_a_file_that_holds_no_certificate_are_told(ctl, secure, tmp_path):
    plain = ctl("status", url="https://localhost:%d" % secure.admin[1])
    assert plain.returncode == 1 and "does it speak TLS there?" in plain.stderr, plain
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("none")
    told = ctl("status", ca=garbage)
    assert told.returncode == 1 and "there is no certificate" in told.stderr, told
    # The other way round.
    clear = ctl("status", url="http://localhost:%d" % secure.admins[1])
    assert clear.returncode == 1, clear
