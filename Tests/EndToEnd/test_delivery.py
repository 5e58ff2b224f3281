"""Stock clients, each with MQTT 3.1.1 and 5.0: what a device can rely on."""

import pathlib
import signal
import socket
import struct
import time

import pytest

from kit import wire
from kit.device import Device
from kit.mosquitto import Subscriber
from kit.waiting import eventually, throughout
from kit.world import World


def delivered(caller, task_id):
    return caller.counts(task_id)["delivered"] == 1


def test_a_device_that_is_online_receives_at_once(scene, stock_client):
    phone = stock_client(scene.server, scene.phone).connect()
    task = scene.caller.to_device(scene.phone.token, "您好", custom={"a": 1.10}, payload={"tag": "greeting"})
    (message,) = phone.wait_for(task)
    shown = scene.caller.task(task)
    assert message == {
        "task_id": task, "appkey": scene.caller.appkey, "display_type": "notification",
        "body": {"title": "您好", "custom": {"a": 1.10}}, "tag": "greeting", "sent_at": shown["created_at"],
    }
    eventually(lambda: delivered(scene.caller, task), "delivered is 1")
    assert scene.caller.recipients(task, "delivered") == {scene.phone.token: None}


def test_a_configuration_arrives_on_its_own_topic(scene, stock_client):
    phone = stock_client(scene.server, scene.phone).connect()
    task = scene.caller.configure("cache=2&submit=10", device_tokens=scene.phone.token)
    (message,) = phone.wait_for(task, topic="psp/push/config")
    assert isinstance(message.pop("version"), int)
    assert message == {
        "task_id": task, "appkey": scene.caller.appkey, "body": "cache=2&submit=10",
        "sent_at": scene.caller.task(task)["created_at"],
    }
    eventually(lambda: delivered(scene.caller, task), "delivered is 1")


def test_a_device_that_was_offline_receives_what_it_missed_oldest_first(scene, stock_client):
    tasks = [scene.caller.to_device(scene.phone.token, f"number {number}") for number in range(30)]
    assert all(scene.caller.counts(task)["pending"] == 1 for task in tasks)
    phone = stock_client(scene.server, scene.phone).connect()
    phone.wait_for(*tasks)
    assert phone.tasks() == tasks
    eventually(lambda: all(delivered(scene.caller, task) for task in tasks), "all are delivered")
    phone.disconnect()
    # What is acknowledged does not come again; what is new does.
    again = stock_client(scene.server, scene.phone).connect()
    last = scene.caller.to_device(scene.phone.token)
    again.wait_for(last)
    assert again.tasks() == [last]


def test_a_device_that_goes_away_and_comes_back_misses_nothing(scene, stock_client):
    expected = []
    for round_number in range(4):
        expected.append(scene.caller.to_org(scene.home, f"offline {round_number}"))
        phone = stock_client(scene.server, scene.phone).connect()
        expected.append(scene.caller.to_device(scene.phone.token, f"online {round_number}"))
        phone.wait_for(*expected[-2:])
        assert phone.tasks() == expected[-2:]
        eventually(lambda: all(delivered(scene.caller, task) for task in expected), "delivered")
        phone.disconnect() if round_number % 2 else phone.vanish()
    assert all(scene.caller.counts(task)["delivered"] == 1 for task in expected)


def test_a_second_connection_takes_over(scene, stock_client):
    first = stock_client(scene.server, scene.phone).connect()
    before = scene.caller.to_device(scene.phone.token, "for the first")
    first.wait_for(before)
    eventually(lambda: delivered(scene.caller, before), "the first has acknowledged")
    first.stall()  # mosquitto_sub would come back at once and take over in its turn
    second = stock_client(scene.server, scene.phone).connect()
    after = scene.caller.to_device(scene.phone.token, "for the second")
    second.wait_for(after)
    assert second.tasks() == [after], "the second receives nothing that the first acknowledged"
    eventually(lambda: delivered(scene.caller, after), "delivered once")
    if isinstance(first, Subscriber) and first.version == "5.0":
        first.resume()
        first.wait_line("Received DISCONNECT (142)")
    first.vanish()
    assert first.tasks() == [before]
    assert scene.admin.is_online(scene.phone.token)


@pytest.mark.parametrize("version", ["3.1.1", "5.0"])
def test_the_first_connection_is_told_who_took_over(scene, device, version):
    first = device(scene.server, scene.phone, version).connect()
    device(scene.server, scene.phone, version).connect()
    reason = first.wait_closed()
    if version == "5.0":
        assert reason.value == 0x8E


def stands_still(pid):
    states = [path.read_text().rsplit(")", 1)[1].split()[0] for path in pathlib.Path(f"/proc/{pid}/task").glob("*/stat")]
    return set(states) == {"T"}


@pytest.mark.parametrize("end", ["closed", "reset"])
def test_a_connect_whose_client_has_given_up_takes_nothing_over(own_server, device, end):
    """As a server finds it that stood still for a while: its clients are elsewhere by then."""
    world = World(own_server)
    caller, phone = world.app(), world.device("phone", world.org("home"))
    living = device(own_server, phone, "5.0").connect()
    own_server.process.send_signal(signal.SIGSTOP)
    eventually(lambda: stands_still(own_server.process.pid), "all its threads stand still")
    given_up = wire.Wire(own_server, wire.connect(5, phone.token, phone.secret, client_id="other"))
    if end == "reset":
        given_up.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    given_up.socket.close()
    own_server.process.send_signal(signal.SIGCONT)
    living.wait_for(caller.to_device(phone.token))
    living.flush()
    assert living.reason is None


def test_a_wrong_secret_is_refused(scene, stock_client):
    import dataclasses

    intruder = stock_client(scene.server, dataclasses.replace(scene.phone, secret="wrong")).begin_connecting()
    if isinstance(intruder, Device):
        intruder.wait(lambda: intruder.connack is not None, "CONNACK")
        assert intruder.connack.getName() == "Not authorized"
    else:
        intruder.wait_line("received CONNACK (135)" if intruder.version == "5.0" else "received CONNACK (5)")
        assert intruder.wait_ended() != 0
    assert not scene.admin.is_online(scene.phone.token)


def test_an_unknown_device_is_refused(scene, stock_client):
    import dataclasses

    intruder = stock_client(scene.server, dataclasses.replace(scene.phone, token="nobody")).begin_connecting()
    if isinstance(intruder, Device):
        intruder.wait(lambda: intruder.connack is not None, "CONNACK")
        assert intruder.connack.getName() == "Not authorized"
    else:
        assert intruder.wait_ended() != 0


@pytest.mark.parametrize("version", ["3.1.1", "5.0"])
def test_mosquitto_sub_is_refused_another_topic(scene, version):
    refused = "Subscribed (mid: 1): 128" if version == "3.1.1" else "Subscribed (mid: 1): 135"
    with Subscriber(scene.server, scene.phone.token, scene.phone.secret, version, topic="other/topic") as phone:
        phone.wait_line(refused)
        # It receives nevertheless: a device needs no SUBSCRIBE. (mosquitto_sub itself goes away when all its topics are refused.)


@pytest.mark.parametrize("version", ["3.1.1", "5.0"])
def test_paho_is_refused_another_topic_and_granted_its_own(scene, device, version):
    phone = device(scene.server, scene.phone, version).connect()
    answers = {}
    phone.client.on_subscribe = lambda client, userdata, mid, reasons, properties: answers.update({mid: [r.value for r in reasons]})
    filters = [("psp/push/#", 2), ("other", 1), ("psp/+/msg", 0), ("#", 1), ("psp/push/receipt", 1)]
    _, mid = phone.client.subscribe(filters)
    refusal = 0x80 if version == "3.1.1" else 0x87
    eventually(lambda: mid in answers, "SUBACK")
    # "Any other filter" is one that matches neither of the two topics.
    assert answers[mid] == [1, refusal, 0, 1, refusal]
    task = scene.caller.to_device(scene.phone.token)
    phone.wait_for(task)
    eventually(lambda: delivered(scene.caller, task), "delivered")
    assert phone.tasks() == [task], "one copy, however many filters match"


@pytest.mark.parametrize("version", ["3.1.1", "5.0"])
def test_publishing_elsewhere_goes_nowhere(scene, device, version):
    other = scene.device("other", scene.home)
    listener = device(scene.server, other, version).connect()
    phone = device(scene.server, scene.phone, version).connect()
    answer = phone.publish("psp/push/msg", '{"task_id":"1"}')
    assert answer == (0x87 if version == "5.0" else 0)
    assert phone.publish("anywhere", "x") == (0x87 if version == "5.0" else 0)
    task = scene.caller.to_org(scene.home)
    listener.wait_for(task)
    assert listener.tasks() == [task]


def test_publishing_elsewhere_with_qos_2(scene):
    """By hand: paho does not tell what a PUBREC says."""
    for version in (4, 5):
        with wire.Wire(scene.server, wire.connect(version, scene.phone.token, scene.phone.secret)) as phone:
            phone.expect(wire.CONNACK)
            phone.send(wire.publish(version, "anywhere", b"x", qos=2, packet_id=7))
            assert phone.expect(wire.PUBREC) == (b"\x00\x07" if version == 4 else b"\x00\x07\x87")
            phone.send(b"\x62\x02\x00\x07")
            assert phone.expect(wire.PUBCOMP)[:2] == b"\x00\x07"


def test_keep_alive_is_enforced(scene, device):
    """All at once, since each takes one and a half times its keep-alive: two stock clients that fall silent, and raw sockets."""
    silent = []
    for version in ("3.1.1", "5.0"):
        pahos = scene.device(f"paho-{version}", scene.home)
        silent.append(device(scene.server, pahos, version, keepalive=2).connect())
        mosquittos = scene.device(f"mosquitto-{version}", scene.home)
        silent.append(Subscriber(scene.server, mosquittos.token, mosquittos.secret, version, keepalive=5).connect())
    raws = {}
    for version in (4, 5):
        registered = scene.device(f"raw-{version}", scene.home)
        raws[version] = wire.Wire(scene.server, wire.connect(version, registered.token, registered.secret, keepalive=1))
        raws[version].expect(wire.CONNACK)
    try:
        for client in silent:
            client.stall()
        for version, raw in raws.items():
            assert raw.rest() == ([] if version == 4 else [(0xE0, b"\x8d\x00")]) or version == 5
            raw.close()
        for client in silent:
            eventually(lambda: not scene.admin.is_online(client.token), f"{client.token} is offline")
    finally:
        for client in silent:
            client.vanish()


@pytest.mark.parametrize("version", ["3.1.1", "5.0"])
def test_a_device_that_pings_stays(scene, device, version):
    # The server waits for 3 s, paho pings after 2: neither must be late by a second.
    phone = device(scene.server, scene.phone, version, keepalive=2).connect()
    throughout(lambda: phone.reason is None, "the server closed it", 4)
    task = scene.caller.to_device(scene.phone.token)
    phone.wait_for(task)


def test_last_seen_and_online_follow_the_connection(scene, stock_client):
    assert scene.admin.get("devices", scene.phone.token).ok()["online"] is False
    phone = stock_client(scene.server, scene.phone).connect()
    eventually(lambda: scene.admin.is_online(scene.phone.token), "online")
    assert scene.admin.get("orgs", scene.home).ok()["online"] == 1
    phone.disconnect()
    eventually(lambda: not scene.admin.is_online(scene.phone.token), "offline")
    assert scene.admin.get("devices", scene.phone.token).ok()["last_seen"] > 1_700_000_000_000
    assert scene.admin.get("orgs", scene.home).ok()["online"] == 0


class TestWindow:
    """What a device may have in hand without having acknowledged it."""

    @pytest.mark.parametrize("version", ["3.1.1", "5.0"])
    def test_a_device_that_does_not_acknowledge_gets_one_window(self, scene, device, version):
        phone = device(scene.server, scene.phone, version, acknowledges=False).connect()
        tasks = [scene.caller.to_device(scene.phone.token, str(number)) for number in range(50)]
        phone.wait_for(*tasks[:20])
        throughout(lambda: len(phone.tasks()) == 20, lambda: f"{len(phone.tasks())} in hand", 0.3)
        for begin in (20, 40):
            phone.acknowledge_all()
            phone.wait_for(*tasks[begin : begin + 20])
        assert phone.tasks() == tasks
        phone.acknowledge_all()
        eventually(lambda: all(delivered(scene.caller, task) for task in tasks), "all delivered")

    def test_a_smaller_receive_maximum_is_kept(self, scene, device):
        phone = device(scene.server, scene.phone, acknowledges=False, receive_maximum=3).connect()
        tasks = [scene.caller.to_device(scene.phone.token, str(number)) for number in range(8)]
        phone.wait_for(*tasks[:3])
        throughout(lambda: len(phone.tasks()) == 3, "more than it allowed", 0.3)
        phone.acknowledge_all()
        phone.wait_for(*tasks[3:6])
        assert phone.tasks() == tasks[:6]

    @pytest.mark.parametrize("version", ["3.1.1", "5.0"])
    def test_what_was_not_acknowledged_comes_again(self, scene, device, version):
        phone = device(scene.server, scene.phone, version, acknowledges=False).connect()
        tasks = [scene.caller.to_device(scene.phone.token, str(number)) for number in range(5)]
        phone.wait_for(*tasks)
        phone.vanish()
        again = device(scene.server, scene.phone, version).connect()
        again.wait_for(*tasks)
        assert again.tasks() == tasks
        eventually(lambda: all(delivered(scene.caller, task) for task in tasks), "counted once each")

    @pytest.mark.parametrize("version", ["3.1.1", "5.0"])
    def test_an_operator_sees_what_a_device_does_not_acknowledge(self, scene, device, version):
        def shown():
            data = scene.admin.get("devices", scene.phone.token).ok()
            return data["pending"], data.get("unacknowledged"), "oldest_unacknowledged_at" in data

        before = time.time() * 1000
        tasks = [scene.caller.to_device(scene.phone.token, str(number)) for number in range(25)]
        assert shown() == (25, 0, False)
        phone = device(scene.server, scene.phone, version, acknowledges=False).connect()
        phone.wait_for(*tasks[:20])
        assert shown() == (25, 20, True)
        times = [scene.admin.get("devices", scene.phone.token).ok()["oldest_unacknowledged_at"] for _ in range(3)]
        # A moment is told to the tenth of a second in which it was.
        assert before - 200 <= min(times) and max(times) <= time.time() * 1000
        phone.acknowledge_all()
        phone.wait_for(*tasks)
        eventually(lambda: shown() == (5, 5, True), "the rest is on its way")
        assert scene.admin.get("devices", scene.phone.token).ok()["oldest_unacknowledged_at"] >= min(times) - 200
        phone.acknowledge_all()
        eventually(lambda: shown() == (0, 0, False), "nothing is left")

    def test_a_device_that_an_operator_disconnects_comes_back_to_what_it_missed(self, scene, device):
        phone = device(scene.server, scene.phone, acknowledges=False).connect()
        task = scene.caller.to_device(scene.phone.token)
        phone.wait_for(task)
        assert scene.admin.call("POST", f"/psp/admin/devices/{scene.phone.token}/disconnect").status == 202
        phone.wait_closed()
        again = device(scene.server, scene.phone).connect()
        again.wait_for(task)
        eventually(lambda: delivered(scene.caller, task), "counted once")


class TestReceipts:
    @pytest.mark.parametrize("version", ["3.1.1", "5.0"])
    @pytest.mark.parametrize("qos", [0, 1, 2])
    def test_a_receipt_is_counted_once(self, scene, device, version, qos):
        phone = device(scene.server, scene.phone, version).connect()
        task = scene.caller.to_device(scene.phone.token)
        phone.wait_for(task)
        for _ in range(3):
            assert phone.receipt(task, "opened", qos) == 0
        eventually(lambda: scene.caller.counts(task)["opened"] == 1, "opened is 1")
        phone.receipt(task, "failed", qos, detail="磁盘已满")
        eventually(lambda: scene.caller.counts(task)["failed"] == 1, "failed is 1")
        counts = scene.caller.counts(task)
        assert (counts["opened"], counts["applied"], counts["failed"]) == (1, 0, 1)
        assert scene.caller.recipients(task, "failed") == {scene.phone.token: "磁盘已满"}
        assert scene.caller.recipients(task, "opened") == {scene.phone.token: None}

    def test_an_answered_receipt_is_in_the_counts(self, scene, device):
        phone = device(scene.server, scene.phone).connect()
        task = scene.caller.configure("a=1", device_tokens=scene.phone.token)
        assert phone.receipt(task, "applied") == 0
        assert scene.caller.counts(task)["applied"] == 1, "needs no delivery before it, and is answered when it is committed"

    @pytest.mark.parametrize("version", ["3.1.1", "5.0"])
    def test_a_bad_receipt_changes_nothing(self, scene, device, version):
        other = scene.device("other", scene.home)
        task = scene.caller.to_device(other.token)
        phone = device(scene.server, scene.phone, version).connect()
        new = version == "5.0"
        assert phone.receipt(task, "opened") == (0x87 if new else 0), "another's task"
        assert phone.receipt("no-such-task", "opened") == (0x87 if new else 0)
        own = scene.caller.to_device(scene.phone.token)
        for payload in (
            "", "x", "[]", "{}", "{\"task_id\":1,\"event\":\"opened\"}", f'{{"task_id":"{own}"}}',
            f'{{"task_id":"{own}","event":"lost"}}', f'{{"task_id":"{own}","event":"opened","detail":7}}',
            f'{{"task_id":"{own}","event":"opened","detail":"{"x" * 257}"}}', b"\xff\xfe",
        ):
            assert phone.publish("psp/push/receipt", payload) == (0x99 if new else 0), payload
        assert phone.reason is None, "the connection stays"
        assert phone.receipt(own, "opened", detail="x" * 256) == 0
        assert scene.caller.counts(own)["opened"] == 1
        assert scene.caller.counts(task)["opened"] == 0
