"""Data directories that an earlier version has left (upgrade/make.py makes them): today's server goes on with them, and nothing is lost.

Messages live some days, and the directories do not grow older: the server's wall clock stands where theirs did."""

import json
import pathlib
import tarfile
import time

import pytest

from conftest import run
from kit.device import Device
from kit.rest import EIGHT, AdminClient, PushClient, assert_balanced, notification
from kit.server import binary
from kit.waiting import eventually
from kit.wall_clock import WallClock

pytestmark = pytest.mark.embedded("files of former versions")

FOLDER = pathlib.Path(__file__).with_name("upgrade")
MINUTE = 60
STATES = (*(state for state in EIGHT if state != "rejected"), "opened", "applied", "failed")
TOPICS = {"msg": "psp/push/msg", "config": "psp/push/config"}


class Directory:
    """A copy of what that version left, what it told of it, and today's server on the copy."""

    def __init__(self, name, place):
        self.facts = json.loads((FOLDER / f"{name}.json").read_text())
        self.clock = WallClock(place)
        self.server = self.clock.server
        self.server.data.mkdir(mode=0o700)
        with tarfile.open(FOLDER / f"{name}.tar.xz") as archive:
            archive.extractall(self.server.data, filter="data")
        self.ahead = self.facts["made_at"] + MINUTE - time.time()
        self.clock.set_ahead(self.ahead)
        self.admin = AdminClient(self.server)

    def caller(self, app):
        """Signs by the secret that the earlier version gave, and by the server's clock."""
        caller = PushClient(self.server, app, self.facts["apps"][app])
        headers = caller.headers
        caller.headers = lambda timestamp=None: headers(timestamp or str(int((time.time() + self.ahead) * 1000)))
        return caller

    def device(self, token, version):
        return Device(self.server, token, self.facts["devices"][token], version)


@pytest.fixture(params=["ended", "killed"])
def old(request, tmp_path):
    directory = Directory(request.param, tmp_path)
    directory.server.start()
    yield directory
    directory.server.kill()
    directory.clock.close()


def contains(now, then):
    """Whether a value says at least what the earlier version said."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(key in now and contains(now[key], value) for key, value in then.items())
    return now == then


def assert_told_as_then(old):
    for task, then in old.facts["tasks"].items():
        caller = old.caller(then["app"])
        now = caller.task(task)
        assert contains(now, then["report"]), (now, then["report"])
        assert_balanced(now["counts"])
        for state in STATES:
            recipients, known = caller.recipients(task, state), then["recipients"].get(state, {})
            # Since then some are told more of, such as why something was withdrawn.
            assert list(recipients) == list(known) and all(detail in (None, recipients[token]) for token, detail in known.items()), (task, state)
    assert [item["task_id"] for item in reversed(old.admin.tasks())] == list(old.facts["tasks"])
    for kind, then in old.facts["lists"].items():
        now = old.admin.items(f"/psp/admin/{kind}")
        assert len(now) == len(then) and all(map(contains, now, then)), (now, then)
    for app, tags in old.facts["stats"].items():
        for tag, then in tags.items():
            assert contains(old.caller(app).stats(tag=tag).ok(), then), (app, tag)


def test_everything_is_told_as_it_was(old):
    assert_told_as_then(old)
    checked = run(binary("pspctl"), "check", PSP_DATA=str(old.server.data))
    assert checked.returncode == 0 and "intact" in checked.stdout, checked
    # And so it is when the directory is today's.
    assert old.server.stop() == 0
    old.server.start()
    assert_told_as_then(old)


def test_who_repeats_a_push_is_told_of_the_first(old):
    assert len(old.facts["numbered"]) >= 3
    for number, then in old.facts["numbered"].items():
        caller = old.caller(then["app"])
        assert caller.push(then["body"], then["interface"]).ok()["task_id"] == then["task_id"]
        assert caller.push(then["body"] | {"payload": notification("another")["payload"]}, then["interface"]).code == 2109, number
    assert len(old.admin.tasks()) == len(old.facts["tasks"])


def received(device, interface):
    return [(message["task_id"], message["body"]) for topic, message in device.received if topic == TOPICS[interface]]


def test_each_device_gets_what_it_had_not_acknowledged_and_no_more(old):
    caller, tasks = old.caller("shop"), old.facts["tasks"]
    for number, (token, pending) in enumerate(old.facts["pending"].items()):
        with old.device(token, ("5.0", "3.1.1")[number % 2]) as device:
            last = caller.to_device(token, "the last")
            device.wait_for(last)
            expected = [(task, tasks[task]["report"]["payload"]["body"]) for task in pending["msg"]]
            assert received(device, "msg") == [*expected, (last, {"title": "the last"})], token
            # A configuration that a device has got by joining stands behind those that came meanwhile.
            assert sorted(received(device, "config")) == sorted((task, tasks[task]["report"]["payload"]["body"]) for task in pending["config"]), token
            device.flush()
    left = {task for token in old.facts["pending"].values() for interface in token.values() for task in interface}
    assert len(left) > 10
    for task in left:
        counts = old.caller(tasks[task]["app"]).counts(task)
        eventually(lambda: old.caller(tasks[task]["app"]).counts(task)["pending"] == 0, lambda: f"{tasks[task]['name']}: {counts}")
    # None of it comes again.
    old.server.kill()
    old.server.start()
    for token in old.facts["pending"]:
        with old.device(token, "5.0") as device:
            last = caller.to_device(token)
            device.wait_for(last)
            assert [message["task_id"] for _, message in device.received] == [last]


def test_it_goes_on(old):
    """Configurations are replaced and their versions grow, tokens and secrets hold, receipts count."""
    caller = old.caller("shop")
    names = {then["name"]: task for task, then in old.facts["tasks"].items()}
    assert old.admin.get("apps", "closed").ok()["disabled"] is True
    assert old.caller("closed").push(notification(type="unicast", device_tokens="phone")).code == 2007
    assert old.caller("news").push(notification(type="unicast", device_tokens="lent")).code == 2009, "outside its scope"
    with old.device("tablet", "5.0") as device:
        device.wait_for(names["current"], names["of the south"], names["of a user"], topic=TOPICS["config"])
        known = max(message["version"] for topic, message in device.received if topic == TOPICS["config"])
        new = caller.configure("name=new", org_id="root", payload={"tag": "a"})
        assert device.wait_for(new, topic=TOPICS["config"])[0]["version"] > known
        assert device.receipt(new, "applied") == 0
        # Of a push of then, too.
        assert device.receipt(names["to everybody"], "opened") == 0
    assert caller.task(names["current"])["status"] == "superseded"
    assert list(caller.recipients(names["to everybody"], "opened")) == ["tablet"]
    # Who joins gets what is current there.
    secret = old.admin.put("devices", "newcomer", org_id="south", platform="android").ok()["secret"]
    with Device(old.server, "newcomer", secret) as device:
        device.wait_for(new, names["of the south"], topic=TOPICS["config"])
