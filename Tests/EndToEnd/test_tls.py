"""TLS on all three listeners, by stock clients: what is negotiated, what is refused, and certificates that change meanwhile."""

import http.client
import os
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from conftest import run
from kit.certificates import Authority, Trust, new_ticket_key, openssl
from kit.device import Device
from kit.mosquitto import Subscriber
from kit.rest import encode, exchange_on, notification
from kit.server import Server
from kit.waiting import PATIENCE, eventually
from kit.world import World

DOORS = {f"PSP_{door}": "127.0.0.1:0" for door in ("HTTPS", "MQTTS", "ADMINS")}
# A CONNECT of 3.1.1 with no user name: refused with 0x05, after the handshake.
CONNECT = bytes.fromhex("100c00044d5154540402003c0000")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def identity(authority):
    return authority.issue("server")


@pytest.fixture(scope="module")
def trust(authority):
    return Trust(authority)


@pytest.fixture(scope="module")
def secure(tmp_path_factory, identity):
    """A server with TLS that the tests of this file share."""
    with Server(tmp_path_factory.mktemp("tls") / "data", *identity.flags(), environment=DOORS) as running:
        yield running
        assert running.stop() == 0


@pytest.fixture
def own_secure(tmp_path, authority):
    """A server of the test's own, whose certificate it may change."""
    pair = authority.issue(f"own-{tmp_path.name}")
    with Server(tmp_path / "data", *pair.flags(), environment=DOORS) as running:
        running.pair = pair
        yield running


@pytest.fixture
def scene(secure):
    return furnish(World(secure))


def furnish(world):
    world.caller = world.app()
    world.home = world.org("home")
    world.phone = world.device("phone", world.home)
    return world


def connect(address, trust, **options):
    """A socket whose handshake is done."""
    plain = socket.create_connection(address, timeout=PATIENCE)
    return trust.context(**options).wrap_socket(plain, server_hostname="localhost")


def shown(address, trust):
    """The certificate that the server shows."""
    with connect(address, trust) as session:
        return session.getpeercert(binary_form=True)


# Devices and callers


@pytest.mark.parametrize("version", ["3.1.1", "5.0"])
@pytest.mark.parametrize("kind", [Device, Subscriber], ids=["paho", "mosquitto_sub"])
def test_a_device_receives_what_a_caller_pushes(scene, secure, trust, kind, version):
    with kind(secure, scene.phone.token, scene.phone.secret, version, trust=trust) as device:
        connection = http.client.HTTPSConnection(*secure.https, timeout=PATIENCE, context=trust.context())
        reply = exchange_on(connection, "POST", "/psp/push/msg", encode(notification(type="unicast", device_tokens=scene.phone.token)),
                            scene.caller.headers())
        connection.close()
        device.wait_for(reply.ok()["task_id"])


def test_curl_pushes_by_https(scene, secure, trust):
    host, port = secure.https
    headers = [part for name, value in scene.caller.headers() for part in ("-H", f"{name}: {value}")]
    body = encode(notification(type="unicast", device_tokens=scene.phone.token))
    done = run("curl", "-sS", "--cacert", str(trust.authority.certificate), *headers, "--data-binary", body.decode(),
               f"https://{host}:{port}/psp/push/msg")
    assert done.returncode == 0 and '"SUCCESS"' in done.stdout, done


@pytest.mark.parametrize("door", ["https", "admins"])
def test_a_connection_is_kept_for_many_requests_and_large_answers(secure, trust, door):
    connection = http.client.HTTPSConnection(*getattr(secure, door), timeout=PATIENCE, context=trust.context())
    for _ in range(3):
        connection.request("GET", "/psp/openapi.yaml")
        reply = connection.getresponse()
        assert reply.status == 200 and len(reply.read()) > 50_000
    connection.close()


def test_a_large_body_comes_whole(secure, trust):
    lines = b"".join(b'{"kind":"org","id":"big.%d","name":"n"}\n' % number for number in range(2_000))
    connection = http.client.HTTPSConnection(*secure.admins, timeout=PATIENCE, context=trust.context())
    reply = exchange_on(connection, "POST", "/psp/admin/import", lines, [("Authorization", f"Bearer {secure.admin_token}")])
    assert reply.json["ret"] == "SUCCESS", reply
    connection.close()


def test_requests_sent_ahead_are_answered_in_order(secure, trust):
    with connect(secure.https, trust) as session:
        session.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" * 20 + b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answers = b""
        while piece := session.recv(65536):
            answers += piece
    assert answers.count(b"HTTP/1.1 200 OK") == 21


def test_an_answer_comes_although_the_caller_has_ended_its_side(secure, trust):
    """A half-close: close_notify behind the request."""
    host, port = secure.https
    done = subprocess.run(
        ["openssl", "s_client", "-quiet", "-CAfile", str(trust.authority.certificate), "-verify_return_error", "-connect", f"{host}:{port}"],
        input=b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", capture_output=True, timeout=PATIENCE)
    assert b"200 OK" in done.stdout, done


def test_the_end_is_told_by_close_notify(secure, trust):
    """An end without it is an error of this client's (`suppress_ragged_eofs`)."""
    with socket.create_connection(secure.https, timeout=PATIENCE) as plain:
        session = trust.context().wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False)
        session.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        while session.recv(4096):
            pass
    with socket.create_connection(secure.mqtts, timeout=PATIENCE) as plain:
        session = trust.context().wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False)
        session.sendall(CONNECT)
        assert session.recv(4096) == bytes.fromhex("20020005")
        assert session.recv(4096) == b""


# What is negotiated


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize(("door", "protocol"), [("https", "http/1.1"), ("mqtts", "mqtt"), ("admins", "http/1.1")])
def test_both_versions_and_the_application_are_negotiated(secure, trust, door, protocol, version):
    only = ssl.TLSVersion[version]
    with connect(getattr(secure, door), trust, minimum=only, maximum=only, alpn=["other", protocol]) as session:
        assert session.version() == version.replace("_", ".")
        assert session.selected_alpn_protocol() == protocol


def test_a_client_that_wants_another_application_is_refused(secure, trust):
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        connect(secure.mqtts, trust, alpn=["http/1.1"])


def test_nothing_older_is_spoken(secure, trust):
    context = trust.context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(secure.https, timeout=PATIENCE) as plain, pytest.raises(ssl.SSLError):
        context.wrap_socket(plain, server_hostname="localhost")


def test_a_renegotiation_is_refused(secure, trust):
    """`R` has s_client ask for one."""
    host, port = secure.https
    done = subprocess.run(
        ["openssl", "s_client", "-tls1_2", "-CAfile", str(trust.authority.certificate), "-connect", f"{host}:{port}"],
        input=b"R\n", capture_output=True, timeout=PATIENCE)
    assert b"no renegotiation" in done.stderr.lower(), done.stderr


def test_what_is_negotiated_can_be_set(tmp_path, identity, trust):
    flags = ["--tls-min", "1.3", "--tls-suites", "TLS_AES_128_GCM_SHA256", "--tls-groups", "P-256", "--tls-sigalgs", "ECDSA+SHA256"]
    with Server(tmp_path / "data", *identity.flags(), *flags, environment=DOORS) as running:
        with connect(running.https, trust) as session:
            assert session.cipher()[0] == "TLS_AES_128_GCM_SHA256"
        with pytest.raises(ssl.SSLError):
            connect(running.https, trust, maximum=ssl.TLSVersion.TLSv1_2)


@pytest.mark.parametrize(("flags", "complaint"), [
    ([], "--https needs --tls-cert and --tls-key"),
    (["--tls-cert", "/none.pem", "--tls-key", "/none.key"], "--tls-cert: /none.pem"),
    (["--tls-suites", "TLS_NONE"], "--tls-suites: OpenSSL knows no such suite"),
    (["--tls-ciphers", "NONE"], "--tls-ciphers: OpenSSL knows no such cipher"),
    (["--tls-groups", "NONE"], "--tls-groups: OpenSSL knows no such group"),
    (["--tls-sigalgs", "NONE"], "--tls-sigalgs: OpenSSL knows no such signature algorithm"),
])
def test_a_setting_that_cannot_work_ends_the_start(tmp_path, identity, flags, complaint):
    given = flags if not flags or "--tls-cert" in flags else identity.flags() + flags
    server = Server(tmp_path / "data", *given, environment={"PSP_HTTPS": "127.0.0.1:0"})
    assert server.start_status() == 2
    assert complaint in server.tail()


def test_a_key_with_a_passphrase_and_one_of_another_certificate_are_told(tmp_path, authority, identity):
    other = authority.issue("other")
    sealed = tmp_path / "sealed.key"
    openssl("pkey", "-in", identity.key, "-aes256", "-passout", "pass:x", "-out", sealed)
    for key, complaint in [(other.key, "does not belong to the certificate"), (sealed, "the key cannot be used")]:
        server = Server(tmp_path / "data", "--tls-cert", str(identity.certificate), "--tls-key", str(key),
                        environment={"PSP_HTTPS": "127.0.0.1:0"})
        assert server.start_status() == 2
        assert complaint in server.tail()


def test_listeners_in_clear_can_be_switched_off(tmp_path, identity, trust):
    with Server(tmp_path / "data", *identity.flags(), environment=DOORS | {"PSP_HTTP": "off", "PSP_MQTT": "off"}) as running:
        assert running.http is None and running.mqtt is None
        assert set(running.published()) == {"admin", "https", "mqtts", "admins", "pid"}
        assert shown(running.mqtts, trust) == identity.der


# Those who do not do it right


def test_plain_http_on_the_port_is_told_so(secure):
    with socket.create_connection(secure.https, timeout=PATIENCE) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = b""
        while piece := plain.recv(4096):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 400 Bad Request") and b"https://" in answer


@pytest.mark.parametrize("door", ["https", "mqtts", "admins"])
def test_bytes_that_are_no_tls_end_the_connection(secure, door):
    with socket.create_connection(getattr(secure, door), timeout=PATIENCE) as plain:
        plain.sendall(CONNECT + bytes(64))
        try:
            while plain.recv(4096):
                pass
        except ConnectionResetError:
            pass


def test_a_handshake_that_fails_is_told_in_the_log(own_secure, trust):
    for door in (own_secure.https, own_secure.mqtts):
        with socket.create_connection(door, timeout=PATIENCE) as plain, pytest.raises(ssl.SSLError):
            context = trust.context()
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers("AES128-SHA")
            context.wrap_socket(plain, server_hostname="localhost")
    eventually(lambda: own_secure.tail().count("no shared cipher") >= 2, own_secure.tail)


def test_a_silent_handshake_and_one_that_drips_are_closed_in_time(secure):
    """A device has 10 s for handshake and CONNECT together."""
    hello = client_hello()
    silent = socket.create_connection(secure.mqtts, timeout=PATIENCE)
    dripping = socket.create_connection(secure.mqtts, timeout=PATIENCE)
    began = time.monotonic()
    stop = threading.Event()

    def drip():
        for byte in hello[:-1]:
            if stop.wait(0.2):
                return
            try:
                dripping.send(bytes([byte]))
            except OSError:
                return

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        for connection in (silent, dripping):
            assert ends(connection)
            assert 8 < time.monotonic() - began < 25
    finally:
        stop.set()
        thread.join()
        silent.close()
        dripping.close()


def ends(connection):
    try:
        return connection.recv(4096) == b""
    except ConnectionResetError:
        return True


def client_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        session.do_handshake()
    return outgoing.read()


# Certificates that change


def test_a_new_certificate_is_shown_and_no_connection_is_dropped(own_secure, authority, trust):
    world = furnish(World(own_secure))
    former = own_secure.pair.der
    with Device(own_secure, world.phone.token, world.phone.secret, trust=trust) as device:
        assert shown(own_secure.https, trust) == former
        fresh = authority.issue(f"fresh-{own_secure.data.parent.name}")
        wanted = fresh.der
        fresh.put_in_place_of(own_secure.pair)
        eventually(lambda: shown(own_secure.https, trust) == wanted, own_secure.tail)
        assert shown(own_secure.mqtts, trust) == shown(own_secure.admins, trust) == wanted
        device.wait_for(world.caller.to_device(world.phone.token))
        assert device.reason is None
    with Device(own_secure, world.phone.token, world.phone.secret, trust=trust) as device:
        device.wait_for(world.caller.to_device(world.phone.token))
    assert "cannot be used" not in own_secure.tail()


def test_sighup_reads_the_files_at_once(own_secure):
    os.kill(own_secure.pid, signal.SIGHUP)
    eventually(lambda: "TLS files read again" in own_secure.tail() and "SIGHUP" in own_secure.tail(), own_secure.tail)


@pytest.mark.parametrize("fault", ["mismatch", "garbage", "expired", "missing"])
def test_a_bad_pair_changes_nothing_and_the_log_says_so(own_secure, authority, trust, fault):
    former = own_secure.pair.der
    now = time.time()
    if fault == "mismatch":
        os.replace(authority.issue(f"lonely-{own_secure.data.parent.name}").certificate, own_secure.pair.certificate)
    elif fault == "garbage":
        own_secure.pair.key.write_text("none")
    elif fault == "missing":
        own_secure.pair.key.unlink()
    else:
        authority.issue(f"old-{own_secure.data.parent.name}", begins=now - 7200, ends=now - 3600).put_in_place_of(own_secure.pair)
    eventually(lambda: "TLS files cannot be used" in own_secure.tail(), own_secure.tail)
    assert shown(own_secure.mqtts, trust) == former


def test_a_certificate_that_expires_soon_is_told(tmp_path, authority):
    pair = authority.issue("soon", days=13)
    with Server(tmp_path / "data", *pair.flags(), environment=DOORS) as running:
        eventually(lambda: "the certificate expires soon" in running.tail(), running.tail)


# Sessions that are taken up


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_ticket_is_good_at_every_server_that_has_the_key(tmp_path, identity, trust, version):
    keys = tmp_path / "ticket.keys"
    first, second = new_ticket_key(), new_ticket_key()
    keys.write_text(first)
    kept = tmp_path / "session.pem"
    flags = [*identity.flags(), "--tls-ticket-keys", str(keys)]
    with Server(tmp_path / "a", *flags, environment=DOORS) as a, Server(tmp_path / "b", *flags, environment=DOORS) as b:
        assert "New," in s_client(a.mqtts, trust, version, "-sess_out", kept)
        assert "Reused," in s_client(b.mqtts, trust, version, "-sess_in", kept)
        # Another key in front: the former one still opens. Then it is gone, and a full handshake follows.
        keys.write_text(second + first)
        os.kill(b.pid, signal.SIGHUP)
        eventually(lambda: b.tail().count("TLS files read again") >= 1, b.tail)
        assert "Reused," in s_client(b.mqtts, trust, version, "-sess_in", kept)
        keys.write_text(second)
        os.kill(b.pid, signal.SIGHUP)
        eventually(lambda: b.tail().count("TLS files read again") >= 2, b.tail)
        assert "New," in s_client(b.mqtts, trust, version, "-sess_in", kept)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_device_that_comes_back_again_and_again_is_resumed_each_time(secure, trust, tmp_path, version):
    """A ticket of TLS 1.3 is used once, and brings the next."""
    kept = [tmp_path / f"session-{number}.pem" for number in range(4)]
    assert "New," in s_client(secure.mqtts, trust, version, "-sess_out", kept[0])
    for known, next_one in zip(kept, kept[1:]):
        # In TLS 1.2 it is the same ticket for as long as its key is the newest.
        assert "Reused," in s_client(secure.mqtts, trust, version, "-sess_in", known, "-sess_out", next_one)
        assert next_one.exists() or version == "-tls1_2", "a ticket to come back with"
        if not next_one.exists():
            next_one.write_bytes(known.read_bytes())


def s_client(address, trust, version, *arguments):
    """What `openssl s_client` tells of a connection on which it has sent a CONNECT and read to the end."""
    host, port = address
    done = subprocess.run(
        ["openssl", "s_client", version, "-CAfile", str(trust.authority.certificate), "-verify_return_error", "-ign_eof", "-connect",
         f"{host}:{port}", *map(str, arguments)], input=CONNECT, capture_output=True, timeout=PATIENCE)
    return done.stdout.decode(errors="replace")


# Certificates of devices


@pytest.fixture(scope="module")
def asking(tmp_path_factory, authority, identity):
    """A server that asks devices for a certificate, by an authority of the devices' own."""
    devices = Authority(tmp_path_factory.mktemp("devices"))
    with Server(tmp_path_factory.mktemp("asking") / "data", *identity.flags(), "--tls-client-ca", str(devices.certificate),
                environment=DOORS) as running:
        running.devices = devices
        yield running
        assert running.stop() == 0


@pytest.mark.parametrize("kind", [Device, Subscriber], ids=["paho", "mosquitto_sub"])
@pytest.mark.parametrize("names", ["common", "dns", "uri"])
def test_a_device_with_a_certificate_to_its_name_connects(asking, authority, kind, names):
    world = furnish(World(asking))
    token = world.phone.token
    if names == "common":
        own = asking.devices.issue(token, "client")
    else:
        own = asking.devices.issue(f"{token}.{kind.__name__}.{names}", "client", names=f"subjectAltName={names.upper()}:{token}\n")
    with kind(asking, token, world.phone.secret, trust=Trust(authority, own)) as device:
        device.wait_for(world.caller.to_device(token))


def test_a_device_without_a_certificate_connects_by_its_secret(asking, trust):
    world = furnish(World(asking))
    with Device(asking, world.phone.token, world.phone.secret, trust=trust) as device:
        device.wait_for(world.caller.to_device(world.phone.token))


@pytest.mark.parametrize("fault", ["name", "case", "secret"])
def test_a_certificate_to_another_name_and_a_wrong_secret_are_refused(asking, authority, fault):
    world = furnish(World(asking))
    name = {"name": world.name("other"), "case": world.phone.token.upper(), "secret": world.phone.token}[fault]
    own = asking.devices.issue(name, "client")
    device = Device(asking, world.phone.token, "wrong" if fault == "secret" else world.phone.secret, trust=Trust(authority, own))
    device.begin_connecting()
    device.wait(lambda: device.connack is not None, "CONNACK")
    assert device.connack.value == 0x87
    device.wait_closed()


@pytest.mark.parametrize("fault", ["stranger", "expired", "purpose"])
def test_a_certificate_that_no_authority_vouches_for_ends_the_handshake(asking, authority, tmp_path, fault):
    world = furnish(World(asking))
    name, now = world.phone.token, time.time()
    if fault == "stranger":
        own = Authority(tmp_path / "strangers").issue(name, "client")
    elif fault == "expired":
        own = asking.devices.issue(name, "client", begins=now - 7200, ends=now - 3600)
    else:
        own = asking.devices.issue(name, "server")
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        with connect(asking.mqtts, Trust(authority, own)) as session:
            # In TLS 1.3 the client learns of it with its first read.
            session.sendall(CONNECT)
            session.recv(4096)


def test_callers_are_not_asked_for_a_certificate(asking, trust):
    host, port = asking.https
    done = subprocess.run(["openssl", "s_client", "-CAfile", str(trust.authority.certificate), "-connect", f"{host}:{port}"],
                          input=b"", capture_output=True, timeout=PATIENCE)
    assert b"No client certificate CA names sent" in done.stdout


def test_a_session_that_is_taken_up_keeps_its_certificate(asking, authority):
    """Else a ticket would open any device's door to whoever has its secret."""
    world = furnish(World(asking))
    own = asking.devices.issue(world.phone.token, "client")
    other = world.device("other", world.home)
    context = Trust(authority, own).context(maximum=ssl.TLSVersion.TLSv1_2)

    def log_in(token, secret, session=None):
        plain = socket.create_connection(asking.mqtts, timeout=PATIENCE)
        with context.wrap_socket(plain, server_hostname="localhost", session=session) as secured:
            fields = b"".join(len(text).to_bytes(2, "big") + text.encode() for text in ("", token, secret))
            body = bytes.fromhex("00044d51545404c2003c") + fields
            secured.sendall(bytes([0x10, len(body)]) + body)
            return secured.session, secured.session_reused, secured.recv(4)

    session, _, connack = log_in(world.phone.token, world.phone.secret)
    assert connack == bytes.fromhex("20020000")
    _, reused, connack = log_in(world.phone.token, world.phone.secret, session)
    assert reused and connack == bytes.fromhex("20020000")
    _, reused, connack = log_in(other.token, other.secret, session)
    assert reused and connack == bytes.fromhex("20020005")


@pytest.mark.parametrize("kind", [Device, Subscriber], ids=["paho", "mosquitto_sub"])
def test_a_certificate_that_the_record_names_stands_for_the_secret(asking, authority, kind):
    world = furnish(World(asking))
    token, org = world.phone.token, world.home
    own = asking.devices.issue(token, "client")
    known = Trust(authority, own)
    admin = world.admin
    admin.put("devices", token, certificate_sha256=own.sha256).ok()
    assert admin.get("devices", token).ok()["certificate_sha256"] == own.sha256
    with kind(asking, token, "not the secret", trust=known) as device:
        device.wait_for(world.caller.to_device(token))
    # Another holder: the former one's certificate opens nothing.
    admin.put("devices", token, user_id=world.name("first"), org_id=org).ok()
    admin.put("devices", token, user_id=world.name("second"), org_id=org).ok()
    assert "certificate_sha256" not in admin.get("devices", token).ok()
    late = Device(asking, token, "not the secret", trust=known).begin_connecting()
    late.wait(lambda: late.connack is not None, "CONNACK")
    assert late.connack.value == 0x87
    late.wait_closed()
