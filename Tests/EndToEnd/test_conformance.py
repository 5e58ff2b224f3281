"""What MQTT 3.1.1 and 5.0 demand of a server, byte by byte: the rules that no other test shows. docs/conformance.md names each rule's tests."""

import contextlib
import itertools
import json
import socket
import struct

import pytest

from kit import wire
from kit.waiting import eventually
from kit.world import World

VERSIONS = pytest.mark.parametrize("version", [4, 5], ids=["3.1.1", "5.0"])
MESSAGES = "psp/push/msg"
RECEIPTS = "psp/push/receipt"


@pytest.fixture(scope="module")
def scene(server):
    scene = World(server)
    scene.caller = scene.app()
    scene.home = scene.org("home")
    scene.numbers = itertools.count(1)
    return scene


@pytest.fixture
def phone(scene):
    """A device that no other test uses."""
    return scene.device(f"phone{next(scene.numbers)}", scene.home)


@pytest.fixture
def connect(server):
    """Connects, returns when CONNACK has come, and closes what is left open at the end."""
    with contextlib.ExitStack() as stack:

        def make(registered, version=5, **options):
            options.setdefault("client_id", "any")
            opened = stack.enter_context(wire.Wire(server, wire.connect(version, registered.token, registered.secret, **options)))
            opened.connack = opened.expect(wire.CONNACK)
            assert opened.connack[:2] == b"\0\0", opened.connack
            return opened

        yield make


def refused(server, data):
    """Everything that comes back when this is the first that a client sends, until the server closes."""
    with wire.Wire(server, data) as opened:
        return opened.rest()


def message(opened, version):
    """The next packet, which must be a message: its first byte, topic, packet identifier, properties, payload."""
    first, body = opened.receive()
    assert first >> 4 == wire.PUBLISH, (first, body)
    size = struct.unpack_from("!H", body)[0]
    topic, packet_id = body[2 : 2 + size], body[2 + size : 4 + size]
    rest = body[4 + size :]
    properties = b""
    if version == 5:
        properties, rest = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
    return first, topic.decode(), packet_id, properties, json.loads(rest)


def is_quiet(opened):
    """The server answers a PINGREQ, and has sent nothing before."""
    opened.send(b"\xc0\0")
    return opened.receive() == (0xD0, b"")


def receipt(version, task, **options):
    return wire.publish(version, RECEIPTS, json.dumps({"task_id": task, "event": "opened"}).encode(), **options)


def property(identifier, value):
    return bytes([identifier]) + value


class TestConnecting:
    @VERSIONS
    def test_the_first_packet_of_the_server_is_connack_and_there_is_one(self, scene, phone, connect, version):
        tasks = [scene.caller.to_device(phone.token) for _ in range(3)]
        opened = connect(phone, version)
        assert [message(opened, version)[4]["task_id"] for _ in tasks] == tasks
        assert is_quiet(opened)

    @VERSIONS
    @pytest.mark.parametrize("clean", [True, False], ids=["clean", "not clean"])
    def test_session_present_is_0_and_what_waits_comes_whatever_the_clean_flag(self, scene, phone, connect, version, clean):
        first = connect(phone, version, clean=clean)
        task = scene.caller.to_device(phone.token)
        assert message(first, version)[4]["task_id"] == task
        first.close()
        again = connect(phone, version, clean=clean)  # asserts Session Present 0
        byte, _, _, _, content = message(again, version)
        assert content["task_id"] == task
        assert byte == 0x32, "another PUBLISH, not a duplicate of the first: QoS 1, neither DUP nor RETAIN"

    @VERSIONS
    def test_what_follows_a_refused_connect_is_not_processed(self, server, phone, version):
        data = wire.connect(version, phone.token, "wrong") + b"\xc0\0" + wire.publish(version, RECEIPTS, b"{}") + wire.subscribe(version, "#")
        (first, body), = refused(server, data)
        assert first == 0x20 and body[0] == 0 and body[1] >= (0x80 if version == 5 else 1), "Session Present 0, a refusal, and nothing else"

    @VERSIONS
    def test_another_reserved_bit_of_connack_is_never_set(self, server, phone, connect, version):
        assert connect(phone, version).connack[0] == 0
        assert refused(server, wire.connect(version, phone.token, "wrong"))[0][1][0] == 0

    def test_a_malformed_connect_of_3_1_1_is_closed_without_connack(self, server, phone):
        good = wire.connect(4, phone.token, phone.secret, client_id="any")
        reserved = bytearray(good)
        reserved[9] |= 1
        assert refused(server, bytes(reserved)) == []
        assert refused(server, wire.packet(0x10, good[2:] + b"\0")) == [], "a byte too many"
        assert refused(server, wire.packet(0x10, good[2:-1])) == [], "a byte too few"

    @pytest.mark.parametrize("flag, what", [(0x80, "a user name"), (0x40, "a password")])
    @VERSIONS
    def test_what_no_flag_announces_may_not_be_there(self, server, phone, version, flag, what):
        data = bytearray(wire.connect(version, phone.token, phone.secret, client_id="any"))
        data[9] &= ~flag
        rest = refused(server, bytes(data))
        assert all(first == 0x20 and body[1] >= 0x80 for first, body in rest), f"{what}: {rest}"
        assert len(rest) == (1 if version == 5 else 0)

    @VERSIONS
    def test_every_client_identifier_that_the_standard_promises_is_taken(self, phone, connect, version):
        letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        for name in [letters[at : at + 23] for at in range(0, len(letters), 23)] + ["0"]:
            connect(phone, version, client_id=name)

    @VERSIONS
    def test_the_user_name_is_the_device_and_the_client_identifier_is_not_looked_at(self, scene, phone, connect, version):
        other = scene.device(f"phone{next(scene.numbers)}", scene.home)
        mine, theirs = connect(phone, version, client_id="same"), connect(other, version, client_id="same")
        assert is_quiet(mine) and is_quiet(theirs), "two devices with one client identifier stay both"
        connect(phone, version, client_id="another")
        rest = mine.rest()
        assert rest == ([(0xE0, b"\x8e")] if version == 5 else []), "one device with two takes its own session over"

    @VERSIONS
    def test_a_byte_order_mark_is_part_of_the_name(self, server, phone, connect, version):
        mark = "\ufeff"
        (_, body), = refused(server, wire.connect(version, mark + phone.token, phone.secret, client_id="any"))
        assert body[1] == (0x87 if version == 5 else 0x05)
        opened = connect(phone, version)
        opened.send(wire.subscribe(version, mark + MESSAGES))
        assert opened.expect(wire.SUBACK)[-1] == (0x87 if version == 5 else 0x80)

    @VERSIONS
    def test_no_word_before_connect_and_no_disconnect_instead_of_connack(self, server, phone, version):
        for data in (b"\xe0\0", b"\xc0\0", wire.connect(version, phone.token, "wrong")):
            assert all(first >> 4 != wire.DISCONNECT for first, _ in refused(server, data))

    def test_connack_holds_these_properties_and_no_other(self, phone, connect):
        asked = property(0x19, b"\1") + property(0x11, b"\0\0\0\x3c") + property(0x22, b"\0\x0a")  # response information, expiry, aliases
        opened = connect(phone, 5, properties=asked)
        known = {0x11: 4, 0x21: 2, 0x27: 4, 0x29: 1, 0x2A: 1}  # neither response information, nor a method, nor words for people
        found, at = [], 3
        while at < len(opened.connack):
            found.append(opened.connack[at])
            at += 1 + known[opened.connack[at]]
        assert sorted(found) == sorted(known)


def texts(version, registered):
    """Packets with a text in each place that has one: its name, the packet, and whether it is a CONNECT."""
    properties = (lambda content: wire.length(len(content)) + content) if version == 5 else (lambda content: b"")
    credentials = wire.text(registered.token) + wire.text(registered.secret)

    def connect(flags, content):
        return wire.packet(0x10, wire.text("MQTT") + bytes([version, flags]) + b"\0\x3c" + properties(b"") + content)

    yield "a client identifier", lambda text: connect(0xC2, text + credentials), True
    yield "a will's topic", lambda text: connect(0xC6, wire.text("any") + properties(b"") + text + wire.text("") + credentials), True
    yield "a user name", lambda text: connect(0xC2, wire.text("any") + text + wire.text("x")), True
    yield "a topic name", lambda text: wire.packet(0x30, text + properties(b"")), False
    yield "a filter to subscribe to", lambda text: wire.packet(0x82, b"\0\1" + properties(b"") + text + b"\1"), False
    yield "a filter to give up", lambda text: wire.packet(0xA2, b"\0\1" + properties(b"") + text), False
    if version == 5:
        for what, identifier in (("a content type", 0x03), ("a response topic", 0x08)):
            yield what, lambda text, number=identifier: wire.packet(0x30, wire.text("x") + properties(bytes([number]) + text)), False
        yield "a property's name", lambda text: wire.packet(0x30, wire.text("x") + properties(b"\x26" + text + wire.text(""))), False
        yield "a property's value", lambda text: wire.packet(0x30, wire.text("x") + properties(b"\x26" + wire.text("") + text)), False
        yield "a reason", lambda text: wire.packet(0xE0, b"\0" + properties(b"\x1f" + text)), False


@VERSIONS
@pytest.mark.parametrize("text", [b"a\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"a\0b"], ids=repr)
def test_text_that_is_not_utf_8_or_has_a_null_ends_the_connection(server, phone, connect, version, text):
    for what, packet, is_connect in texts(version, phone):
        data = packet(wire.text(text))
        if is_connect:
            rest = refused(server, data)
            assert rest == ([(0x20, b"\0\x81\0")] if version == 5 else []), what
        else:
            opened = connect(phone, version)
            opened.send(data)
            assert opened.rest() == ([(0xE0, b"\x81")] if version == 5 else []), what


class TestWillsAndRetain:
    @VERSIONS
    @pytest.mark.parametrize("farewell", [b"\xe0\0", b""], ids=["with DISCONNECT", "without"])
    @pytest.mark.parametrize("retain", [0, 0x20], ids=["", "retained"])
    def test_a_will_is_accepted_and_leads_to_nothing(self, server, scene, phone, connect, version, farewell, retain):
        other = scene.device(f"phone{next(scene.numbers)}", scene.home)
        witness = connect(other, version)
        witness.send(wire.subscribe(version, "#"))
        witness.expect(wire.SUBACK)
        data = wire.connect(version, phone.token, phone.secret, client_id="any", flags=0x04 | 1 << 3 | retain)
        # The will stands between the client identifier and the user name.
        at = len(data) - len(wire.text(phone.token) + wire.text(phone.secret))
        will = (b"\0" if version == 5 else b"") + wire.text(MESSAGES) + wire.text("{}")
        with wire.Wire(server, wire.packet(0x10, data[2:at] + will + data[at:])) as opened:
            assert opened.expect(wire.CONNACK)[1] == 0
            opened.send(farewell)
        eventually(lambda: not scene.admin.is_online(phone.token), "offline")
        assert is_quiet(witness)
        task = scene.caller.to_device(other.token)
        assert message(witness, version)[4]["task_id"] == task

    @VERSIONS
    def test_a_retained_publish_is_answered_and_nothing_is_kept_of_it(self, scene, phone, connect, version):
        opened = connect(phone, version)
        opened.send(wire.publish(version, MESSAGES, b"{}", flags=1))
        assert opened.expect(wire.PUBACK)[:2] == b"\0\1"
        opened.send(wire.publish(version, MESSAGES, b"", packet_id=2, flags=1))  # what removes a retained message
        assert opened.expect(wire.PUBACK)[:2] == b"\0\2"
        opened.send(wire.subscribe(version, "#"))
        opened.expect(wire.SUBACK)
        assert is_quiet(opened)

    @VERSIONS
    def test_nothing_that_a_device_publishes_reaches_a_device(self, scene, phone, connect, version):
        witness = connect(scene.device(f"phone{next(scene.numbers)}", scene.home), version)
        witness.send(wire.subscribe(version, "#"))
        witness.expect(wire.SUBACK)
        opened = connect(phone, version)
        for topic in (MESSAGES, "psp/push/config", RECEIPTS, "elsewhere", "$SYS/x"):
            opened.send(wire.publish(version, topic, b'{"task_id":"x"}'))
            opened.expect(wire.PUBACK)
        assert is_quiet(witness) and is_quiet(opened)


class TestSubscribing:
    @VERSIONS
    def test_suback_has_the_packets_identifier_and_a_code_for_each_filter_in_order(self, phone, connect, version):
        opened = connect(phone, version)
        opened.send(wire.subscribe(version, "elsewhere", "psp/push/#", "$SYS/#", "psp/+/msg", packet_id=0x1234, options=2))
        no = 0x87 if version == 5 else 0x80
        assert opened.expect(wire.SUBACK) == b"\x12\x34" + (b"\0" if version == 5 else b"") + bytes([no, 1, no, 1])

    @VERSIONS
    def test_unsuback_has_the_packets_identifier_and_in_5_0_a_code_for_each_filter_in_order(self, phone, connect, version):
        opened = connect(phone, version)
        properties = b"\0" if version == 5 else b""
        opened.send(wire.packet(0xA2, b"\x12\x34" + properties + b"".join(map(wire.text, ("elsewhere", "#", "other")))))
        assert opened.expect(wire.UNSUBACK) == b"\x12\x34" + (b"\0\x11\0\x11" if version == 5 else b"")

    @VERSIONS
    def test_overlapping_and_repeated_subscriptions_bring_one_copy_at_qos_1(self, scene, phone, connect, version):
        opened = connect(phone, version)
        for options, filters in ((0, ["#", "psp/#", MESSAGES]), (1, [MESSAGES]), (0, [MESSAGES])):
            opened.send(wire.subscribe(version, *filters, options=options))
            opened.expect(wire.SUBACK)
        task = scene.caller.to_device(phone.token)
        first, topic, _, properties, content = message(opened, version)
        assert (first, topic, properties, content["task_id"]) == (0x32, MESSAGES, b"", task)
        assert is_quiet(opened)

    @VERSIONS
    def test_unsubscribing_changes_nothing_and_loses_nothing(self, scene, phone, connect, version):
        opened = connect(phone, version)
        before = scene.caller.to_device(phone.token)
        opened.send(wire.packet(0xA2, b"\0\1" + (b"\0" if version == 5 else b"") + wire.text(MESSAGES) + wire.text("#")))
        after = scene.caller.to_device(phone.token)
        tasks = []
        while len(tasks) < 2:
            first, body = opened.receive()
            if first >> 4 == wire.PUBLISH:
                tasks.append(json.loads(body[body.index(b'{"') :])["task_id"])
        assert tasks == [before, after]

    def test_retain_handling_and_retain_as_published_bring_nothing_and_change_nothing(self, scene, phone, connect):
        opened = connect(phone, 5)
        for options in (0x01, 0x09, 0x11, 0x19, 0x21, 0x29, 0x05):
            opened.send(wire.subscribe(5, "#", options=options))
            assert opened.expect(wire.SUBACK) == b"\0\1\0\1"
        assert is_quiet(opened)
        scene.caller.to_device(phone.token)
        assert message(opened, 5)[0] == 0x32

    def test_in_3_1_1_a_shared_subscription_is_a_filter_like_any_other(self, phone, connect):
        opened = connect(phone, 4)
        opened.send(wire.subscribe(4, "$share/group/#", "$share//"))
        assert opened.expect(wire.SUBACK) == b"\0\1\x80\x80"

    def test_in_5_0_a_shared_subscription_ends_the_connection(self, phone, connect):
        opened = connect(phone, 5)  # whose CONNACK has said that there are none (§3.2.2.3.13)
        opened.send(wire.subscribe(5, "$share/group/#"))
        opened.socket.shutdown(socket.SHUT_WR)
        assert opened.rest() == [(0xE0, b"\x9e")]


class TestDelivering:
    @VERSIONS
    def test_a_message_is_a_publish_at_qos_1_with_its_topic_first_and_no_property(self, scene, phone, connect, version):
        opened = connect(phone, version, properties=property(0x22, b"\xff\xff") if version == 5 else b"")  # topic aliases are welcome
        task = scene.caller.to_device(phone.token)
        first, topic, packet_id, properties, content = message(opened, version)
        assert first == 0x32 and topic == MESSAGES and packet_id != b"\0\0" and properties == b"" and content["task_id"] == task

    @VERSIONS
    def test_nothing_is_sent_twice_on_a_connection(self, scene, phone, connect, version):
        opened = connect(phone, version)
        identifiers = set()
        for _ in range(5):
            scene.caller.to_device(phone.token)
            identifiers.add(message(opened, version)[2])
        assert len(identifiers) == 5, "each has an identifier of its own while it is not acknowledged"
        assert is_quiet(opened) and is_quiet(opened)

    @VERSIONS
    def test_a_full_window_delays_nothing_but_messages(self, scene, phone, connect, version):
        limit = {"properties": property(0x21, b"\0\1")} if version == 5 else {}
        opened = connect(phone, version, **limit)
        tasks = [scene.caller.to_device(phone.token) for _ in range(25)]
        held = [message(opened, version)[2] for _ in range(1 if version == 5 else 20)]
        opened.send(wire.subscribe(version, "#", packet_id=7))
        assert opened.expect(wire.SUBACK)[:2] == b"\0\7"
        opened.send(receipt(version, tasks[0], packet_id=8))
        assert opened.expect(wire.PUBACK)[:2] == b"\0\x08"
        assert is_quiet(opened)
        opened.send(b"\x40\2" + held[0])
        assert message(opened, version)[4]["task_id"] == tasks[len(held)]

    def test_a_message_that_the_client_refused_does_not_come_again(self, scene, phone, connect):
        opened = connect(phone)
        task = scene.caller.to_device(phone.token)
        packet_id = message(opened, 5)[2]
        opened.send(b"\x40\3" + packet_id + b"\x97")
        assert is_quiet(opened)
        eventually(lambda: scene.caller.counts(task)["pending"] == 0, "it is settled")
        counts = scene.caller.counts(task)
        assert (counts["rejected"], counts["delivered"]) == (1, 0)
        assert scene.caller.recipients(task, "rejected") == {phone.token: "0x97"}
        opened.close()
        assert is_quiet(connect(phone))

    @VERSIONS
    def test_a_message_that_is_over_holds_no_others_up_and_its_puback_still_counts(self, scene, phone, connect, version):
        opened = connect(phone, version)
        tasks = [scene.caller.to_device(phone.token) for _ in range(25)]
        identifiers = [message(opened, version)[2] for _ in range(20)]
        for packet_id in identifiers[1:]:
            opened.send(b"\x40\2" + packet_id)
        assert is_quiet(opened)
        scene.caller.cancel(tasks[0])
        for task in tasks[20:]:
            _, _, packet_id, _, payload = message(opened, version)
            assert payload["task_id"] == task
            assert packet_id not in identifiers[:1]
            opened.send(b"\x40\2" + packet_id)
        opened.send(b"\x40\2" + identifiers[0])
        eventually(lambda: all(scene.caller.counts(task)["delivered"] == 1 for task in tasks), "all are counted")

    def test_no_answer_has_words_for_people_or_properties_of_the_servers_own(self, scene, phone, connect):
        opened = connect(phone, properties=property(0x17, b"\0"))  # they are not wanted
        opened.send(wire.publish(5, "elsewhere", b"", packet_id=1))
        assert opened.expect(wire.PUBACK) == b"\0\1\x87"
        opened.send(wire.publish(5, RECEIPTS, b"nonsense", qos=2, packet_id=2))
        assert opened.expect(wire.PUBREC) == b"\0\2\x99"
        opened.send(b"\x62\2\0\2")
        assert opened.expect(wire.PUBCOMP) == b"\0\2"
        opened.send(b"\x50\2\0\x09")
        assert opened.expect(wire.PUBREL) == b"\0\x09\x92"
        opened.send(b"\xc1\0")
        assert opened.rest() == [(0xE0, b"\x81")]

    @pytest.mark.parametrize("size", [20, 40])
    def test_no_packet_exceeds_the_clients_maximum_packet_size(self, phone, connect, size):
        opened = connect(phone, properties=property(0x27, struct.pack("!I", size)))
        filters = ["psp/push/#"] * 60
        opened.send(wire.subscribe(5, *filters) + wire.packet(0xA2, b"\0\2\0" + b"".join(map(wire.text, filters))))
        opened.socket.shutdown(socket.SHUT_WR)
        for first, body in opened.rest():
            assert len(wire.packet(first, body)) <= size, f"{first:#x} has {len(wire.packet(first, body))} bytes"

    @pytest.mark.parametrize("size", [1, 4])
    def test_no_refusal_exceeds_the_clients_maximum_packet_size(self, server, phone, size):
        data = wire.connect(5, phone.token, "wrong", client_id="any", properties=property(0x27, struct.pack("!I", size)))
        assert refused(server, data) == [], "a CONNACK has five bytes"


class TestReceiving:
    @VERSIONS
    def test_an_identifier_that_was_answered_may_come_again_for_another_message(self, scene, phone, connect, version):
        tasks = [scene.caller.to_device(phone.token) for _ in range(2)]
        opened = connect(phone, version)
        for _ in tasks:
            message(opened, version)
        for qos in (1, 2):
            for task in tasks:
                opened.send(receipt(version, task, qos=qos, packet_id=7))
                assert opened.receive() == (0x40 if qos == 1 else 0x50, b"\0\7")
                if qos == 2:
                    opened.send(b"\x62\2\0\7")
                    assert opened.receive() == (0x70, b"\0\7")
        for task in tasks:
            assert scene.caller.counts(task)["opened"] == 1

    @VERSIONS
    def test_a_publish_at_qos_2_that_is_sent_again_is_acknowledged_again_and_counts_once(self, scene, phone, connect, version):
        task = scene.caller.to_device(phone.token)
        opened = connect(phone, version)
        message(opened, version)
        for flags in (0, 8, 8):
            opened.send(receipt(version, task, qos=2, packet_id=9, flags=flags))
            assert opened.receive() == (0x50, b"\0\x09")
        for _ in range(2):
            opened.send(b"\x62\2\0\x09")
            assert opened.receive() == (0x70, b"\0\x09")
        assert scene.caller.counts(task)["opened"] == 1

    def test_after_a_refusal_by_pubrec_the_identifier_is_free(self, scene, phone, connect):
        task = scene.caller.to_device(phone.token)
        opened = connect(phone)
        message(opened, 5)
        opened.send(wire.publish(5, "elsewhere", b"", qos=2, packet_id=5))
        assert opened.expect(wire.PUBREC) == b"\0\5\x87"
        opened.send(receipt(5, task, qos=2, packet_id=5))
        assert opened.expect(wire.PUBREC) == b"\0\5"

    @VERSIONS
    def test_answers_to_receipts_keep_the_order_of_what_they_answer(self, scene, phone, connect, version):
        task = scene.caller.to_device(phone.token)
        opened = connect(phone, version)
        message(opened, version)
        opened.send(b"".join(receipt(version, task, qos=1 + number % 2, packet_id=number) for number in range(1, 41)))
        answers = [opened.receive() for _ in range(40)]
        assert answers == [(0x40 if number % 2 == 0 else 0x50, struct.pack("!H", number)) for number in range(1, 41)]

    @VERSIONS
    def test_every_packet_type_of_the_other_direction_ends_the_connection(self, phone, connect, version):
        for data in (b"\x20\2\0\0", b"\x90\3\0\1\0", b"\xb0\2\0\1", b"\xd0\0"):
            opened = connect(phone, version)
            opened.send(data)
            assert opened.rest() == ([(0xE0, b"\x82")] if version == 5 else [])

    @VERSIONS
    def test_nothing_follows_a_disconnect(self, scene, phone, connect, version):
        opened = connect(phone, version)
        opened.send(b"\xe0\0\xc0\0" + wire.subscribe(version, "#"))
        assert opened.rest() == [], "neither what came behind it is answered, nor is it answered itself"

    def test_properties_of_a_publish_are_taken_and_not_looked_at(self, scene, phone, connect):
        task = scene.caller.to_device(phone.token)
        opened = connect(phone)
        message(opened, 5)
        properties = b"".join([
            property(0x01, b"\1"), property(0x02, b"\0\0\0\0"), property(0x03, wire.text("text/plain")), property(0x08, wire.text("a/b")),
            property(0x09, wire.text("id")), property(0x26, wire.text("k") + wire.text("v")), property(0x26, wire.text("k") + wire.text("v")),
        ])
        opened.send(receipt(5, task, qos=2, packet_id=3, properties=properties))  # it has expired, and the exchange goes on
        assert opened.expect(wire.PUBREC) == b"\0\3"
        opened.send(b"\x62\2\0\3")
        assert opened.expect(wire.PUBCOMP) == b"\0\3"
        assert scene.caller.counts(task)["opened"] == 1

    @VERSIONS
    def test_a_code_or_property_that_a_packet_does_not_have_ends_the_connection(self, phone, connect, version):
        if version == 4:
            cases = {b"\x40\3\0\1\0": [], b"\xe0\1\0": [], b"\xf0\0": []}
        else:
            refusal = [(0xE0, b"\x82")]
            cases = {b"\x40\3\0\1\x92": refusal, b"\xe0\1\x8e": refusal, b"\xf0\0": refusal, b"\x40\5\0\1\0\2\x01": [(0xE0, b"\x81")]}
        for data, expected in cases.items():
            opened = connect(phone, version)
            opened.send(data)
            assert opened.rest() == expected, data
