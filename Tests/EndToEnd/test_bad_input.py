"""Bad input on every door: a clear answer, and the server goes on."""

import json
import socket

import pytest

from kit import wire
from kit.rest import encode, notification
from kit.waiting import PATIENCE, eventually


@pytest.fixture(autouse=True)
def still_serves(server, world):
    """After whatever a test has sent, a push goes through."""
    yield
    caller = world.app("witness")
    phone = world.device("witness", world.org("witness"))
    assert caller.counts(caller.to_device(phone.token))["targeted"] == 1


def raw_http(address, data):
    """Everything that the server answers until it closes; `None` when it keeps the connection open."""
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        try:
            connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = b""
        while True:
            try:
                chunk = connection.recv(65536)
            except ConnectionResetError:
                chunk = b""
            if not chunk:
                return answer
            answer += chunk


class TestREST:
    def request(self, world, head, body=b""):
        caller = world.app()
        headers = "".join(f"{name}: {value}\r\n" for name, value in caller.headers())
        return (head.replace("HEADERS", headers)).encode() + body

    @pytest.mark.parametrize(
        "framing",
        [
            "Content-Length: 2\r\nContent-Length: 2\r\n", "Content-Length: 2\r\nContent-Length: 3\r\n",
            "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: gzip\r\n",
        ],
        ids=repr,
    )
    def test_an_ambiguous_length_is_refused_and_the_connection_closed(self, server, world, framing):
        body = b"2\r\n{}\r\n0\r\n\r\n" if "chunked" in framing else b"{}"
        request = self.request(world, f"POST /psp/push/msg HTTP/1.1\r\nHost: x\r\nHEADERS{framing}\r\n", body)
        answer = raw_http(server.http, request)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400"), answer
        assert json.loads(body)["data"]["error_code"] == 2103, answer

    @pytest.mark.parametrize("method", ["GET", "DELETE", "HEAD"])
    def test_a_body_with_a_method_that_takes_none(self, server, world, method):
        smuggled = b"POST /psp/push/msg HTTP/1.1\r\nHost: x\r\n\r\n"
        head = f"{method} /psp/push/task/1 HTTP/1.1\r\nHost: x\r\nHEADERSContent-Length: {len(smuggled)}\r\n\r\n"
        answer = raw_http(server.http, self.request(world, head, smuggled))
        assert answer.startswith(b"HTTP/1.1 4"), answer
        assert answer.count(b"HTTP/1.1 ") == 1, "the body was read as a request"

    @pytest.mark.parametrize(
        "data",
        [
            b"\r\n\r\n\r\n", b"nonsense\r\n\r\n", b"GET\r\n\r\n", b"POST /psp/push/msg\r\n\r\n", b"\x00" * 100 + b"\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"POST /psp/push/msg HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            b"POST /psp/push/msg HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", b"GET / HTTP/9.9\r\nno colon here\r\n\r\n",
            b"POST /psp/push/msg HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        ],
        ids=lambda data: repr(data)[:40],
    )
    def test_what_is_no_request(self, server, data):
        with socket.create_connection(server.http, timeout=PATIENCE) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            try:
                while chunk := connection.recv(65536):
                    answer += chunk
            except ConnectionResetError:
                pass
        if answer:
            assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 505 ")), answer
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["ret"] == "FAIL", answer

    def test_a_caller_that_leaves_in_the_middle(self, server, world):
        request = self.request(world, "POST /psp/push/msg HTTP/1.1\r\nHost: x\r\nHEADERSContent-Length: 1000\r\n\r\n", b'{"type":')
        for _ in range(20):
            with socket.create_connection(server.http, timeout=PATIENCE) as connection:
                connection.sendall(request)

    def test_a_chunked_body_is_a_body(self, server, world):
        phone = world.device("phone", world.org("home"))
        body = encode(notification(type="unicast", device_tokens=phone.token))
        chunks = b"".join(b"%x\r\n%s\r\n" % (1, body[index : index + 1]) for index in range(len(body))) + b"0\r\n\r\n"
        head = "POST /psp/push/msg HTTP/1.1\r\nHost: x\r\nHEADERSTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        answer = raw_http(server.http, self.request(world, head, chunks))
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["ret"] == "SUCCESS", answer

    def test_deep_nesting(self, world):
        phone = world.device("phone", world.org("home"))
        caller = world.app()
        depth = 30_000
        body = b'{"type":"unicast","device_tokens":"%s","payload":{"display_type":"message","body":{"custom":%s}}}' % (
            phone.token.encode(), b"[" * depth + b"]" * depth)
        assert caller.push(body).code == 2105


def connect(server, version, registered, **options):
    opened = wire.Wire(server, wire.connect(version, registered.token, registered.secret, **options))
    opened.expect(wire.CONNACK)
    return opened


MALFORMED = {
    "reserved packet type": b"\x00\x00", "remaining length of five bytes": b"\x30\xff\xff\xff\xff\x01",
    "reserved bits of PUBACK": b"\x41\x02\x00\x01", "reserved bits of SUBSCRIBE": b"\x80\x06\x00\x01\x00\x01a\x01",
    "reserved bits of PINGREQ": b"\xc1\x00", "QoS 3": b"\x36\x05\x00\x01a\x00\x01", "packet id 0": b"\x32\x05\x00\x01a\x00\x00",
    "topic with a wildcard": b"\x30\x04\x00\x02a#", "topic that is not UTF-8": b"\x30\x04\x00\x02\xff\xfe",
    "topic with U+0000": b"\x30\x03\x00\x01\x00", "SUBSCRIBE without filters": b"\x82\x02\x00\x01",
    "SUBSCRIBE with QoS 3": b"\x82\x06\x00\x01\x00\x01a\x03", "a length beyond the packet": b"\x30\x03\x00\x09a",
    "PUBACK of one byte": b"\x40\x01\x00", "a server's packet": b"\x20\x02\x00\x00", "a second CONNECT": wire.connect(4, "x", "y"),
    "a packet over 16 KiB": b"\x30" + wire.length(20_000) + b"\x00\x01a" + b"x" * 19_997,
    "DUP with QoS 0": b"\x38\x03\x00\x01a", "PUBREL with wrong bits": b"\x60\x02\x00\x01",
}


class TestMQTT:
    @pytest.fixture
    def registered(self, world):
        return world.device("phone", world.org("home"))

    @pytest.mark.parametrize("version", [4, 5], ids=["3.1.1", "5.0"])
    @pytest.mark.parametrize("name", MALFORMED)
    def test_a_malformed_packet_closes_the_connection(self, server, world, registered, version, name):
        with connect(server, version, registered) as opened:
            opened.send(MALFORMED[name])
            rest = opened.rest()
            if version == 4:
                assert rest == []
            else:
                assert len(rest) == 1 and rest[0][0] == 0xE0 and rest[0][1][0] >= 0x80, rest
        eventually(lambda: not world.admin.is_online(registered.token), "offline")

    @pytest.mark.parametrize(
        "data",
        [b"\xc0\x00", wire.publish(4, "psp/push/receipt", b"{}"), wire.subscribe(4, "#"), b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 100, b"\x10\x00",
         b"\x10\x04\x00\x04MQ", b"\x11\x00"],
        ids=lambda data: repr(data)[:30],
    )
    def test_anything_before_connect_closes_it(self, server, data):
        with wire.Wire(server, data) as opened:
            opened.socket.shutdown(socket.SHUT_WR)
            assert all(first >> 4 != wire.CONNACK or body[1] != 0 for first, body in opened.rest())

    @pytest.mark.parametrize(
        "level, protocol, answer",
        [(3, b"MQIsdp", b"\x00\x01"), (6, b"MQTT", None), (99, b"MQTT", None), (4, b"MQTX", None)],
    )
    def test_another_protocol(self, server, registered, level, protocol, answer):
        data = wire.connect(level, registered.token, registered.secret, protocol=protocol)
        with wire.Wire(server, data) as opened:
            rest = opened.rest()
            if answer:
                assert rest == [(0x20, answer)]
            else:
                assert all(body[1] in (0x01, 0x84) for _, body in rest), rest

    @pytest.mark.parametrize("version, refusal", [(4, 0x05), (5, 0x87)], ids=["3.1.1", "5.0"])
    def test_credentials(self, server, registered, version, refusal):
        for token, secret in (
            (registered.token, "wrong"), ("nobody", registered.secret), (registered.token, None), (None, None), ("", ""),
            (registered.token, ""), (registered.token.upper(), registered.secret), (registered.token, registered.secret + "x"),
        ):
            with wire.Wire(server, wire.connect(version, token, secret)) as opened:
                rest = opened.rest()
                assert len(rest) == 1 and rest[0][0] == 0x20 and rest[0][1][1] == refusal, (token, secret, rest)

    def test_client_ids(self, server, registered):
        with wire.Wire(server, wire.connect(4, registered.token, registered.secret, clean=False)) as opened:
            assert opened.rest() == [(0x20, b"\x00\x02")]
        with wire.Wire(server, wire.connect(5, registered.token, registered.secret)) as opened:
            body = opened.expect(wire.CONNACK)
            assert body[:2] == b"\x00\x00" and b"\x12" + wire.text(registered.token) in body

    def test_an_authentication_method(self, server, registered):
        data = wire.connect(5, registered.token, registered.secret, properties=b"\x15" + wire.text("SCRAM"))
        with wire.Wire(server, data) as opened:
            rest = opened.rest()
            assert rest[0][0] == 0x20 and rest[0][1][1] == 0x8C

    def test_what_the_server_announces(self, server, registered):
        data = wire.connect(5, registered.token, registered.secret, client_id="x", properties=b"\x11\x00\x00\x0e\x10")
        with wire.Wire(server, data) as opened:
            body = opened.expect(wire.CONNACK)
        assert body[:2] == b"\x00\x00"
        properties = body[3:]
        for announced in (b"\x11\x00\x00\x00\x00", b"\x27\x00\x00\x40\x00", b"\x29\x00", b"\x2a\x00"):
            assert announced in properties, (announced, body)

    def test_a_topic_alias(self, server, registered):
        with connect(server, 5, registered) as opened:
            opened.send(wire.publish(5, "psp/push/receipt", b"{}", properties=b"\x23\x00\x01"))
            assert opened.rest()[-1][1][0] == 0x94

    @pytest.mark.parametrize("version", [4, 5], ids=["3.1.1", "5.0"])
    def test_byte_by_byte_is_as_good(self, server, world, registered, version):
        with wire.Wire(server) as opened:
            opened.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in wire.connect(version, registered.token, registered.secret) + b"\xc0\x00":
                opened.send(bytes([byte]))
            opened.expect(wire.CONNACK)
            opened.expect(wire.PINGRESP)

    @pytest.mark.parametrize("version", [4, 5], ids=["3.1.1", "5.0"])
    def test_acknowledgements_of_unknown_packets_are_ignored(self, server, world, registered, version):
        caller = world.app()
        task = caller.to_device(registered.token)
        with connect(server, version, registered) as opened:
            body = opened.expect(wire.PUBLISH)
            packet_id = body[2 + len("psp/push/msg") :][:2]
            other = bytes([packet_id[0] ^ 0x55, packet_id[1] or 1])
            opened.send(b"\x40\x02" + other + b"\xc0\x00")
            opened.expect(wire.PINGRESP)
            assert caller.counts(task)["pending"] == 1
            opened.send(b"\x40\x02" + packet_id)
            eventually(lambda: caller.counts(task)["delivered"] == 1, "delivered")

    def test_pubrel_is_always_answered(self, server, registered):
        with connect(server, 4, registered) as opened:
            opened.send(b"\x62\x02\x00\x07")
            assert opened.expect(wire.PUBCOMP) == b"\x00\x07"


class TestImport:
    def test_each_line_alone(self, world):
        lines = [
            {"kind": "org", "id": world.name("o"), "name": "O"}, b"\n", b"not json\n",
            {"kind": "device", "id": world.name("d1"), "platform": "android", "org_id": world.name("o"), "secret": "s"},
            {"kind": "device", "id": world.name("d2"), "platform": "android", "org_id": world.name("o")},
            {"kind": "device", "id": world.name("d3"), "platform": "android", "org_id": "nowhere", "secret": "s"},
            {"kind": "car", "id": world.name("c")}, {"kind": "org", "id": world.name("o"), "name": "O2"}, b'["x"]\n',
            {"kind": "app", "id": world.name("a"), "name": "A", "interfaces": ["msg"], "master_secret": "m"},
            {"kind": "app", "id": world.name("b"), "name": "B", "interfaces": ["msg"]}, {"kind": "org", "name": "no id"},
        ]
        reply = world.admin.import_lines(lines)
        data = reply.ok()
        assert reply.status == 200
        assert (data["created"], data["updated"], data["failed"]) == (3, 1, 7), data
        assert [(failure["line"], failure["error_code"]) for failure in data["failures"]] == [
            (3, 2101), (5, 2102), (6, 2203), (7, 2103), (9, 2103), (11, 2102), (12, 2102),
        ]
        assert world.admin.get("orgs", world.name("o")).ok()["name"] == "O2"
        assert world.admin.get("devices", world.name("d1")).ok()["org_id"] == world.name("o")
        for token in ("d2", "d3"):
            assert world.admin.get("devices", world.name(token)).code == 2201

    def test_the_same_again_changes_nothing(self, world):
        org = world.org("o")
        lines = [{"kind": "device", "id": world.name(f"d{n}"), "platform": "ios", "org_id": org, "secret": "s"} for n in range(500)]
        assert world.admin.import_lines(lines).ok()["created"] == 500
        again = world.admin.import_lines(lines).ok()
        assert (again["created"], again["updated"], again["failed"]) == (0, 500, 0)
        assert world.admin.get("orgs", org).ok()["devices"] == 500

    def test_nothing_at_all(self, world):
        data = world.admin.call("POST", "/psp/admin/import", b"\n").ok()
        assert (data["created"], data["updated"], data["failed"]) == (0, 0, 0)
