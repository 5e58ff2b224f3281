"""A large directory, changed while pushes and deliveries go on."""

import json
import threading
import time

import pytest

from kit.rest import PushClient, assert_balanced, notification
from kit.waiting import eventually
from kit.world import World

DEVICES = 100_000
IN_ONE_ORGANISATION = 10_000
CONNECTED = 10
# Of a machine many times slower than a developer's; how long it takes is `make bench`'s business.
PATIENCE = 300.0


class Traffic(threading.Thread):
    """Pushes to devices that are connected, without a pause, and notes how long each answer took."""

    def __init__(self, client, tokens):
        super().__init__()
        self.client, self.tokens = client, tokens
        self.ended = threading.Event()
        self.tasks = {token: [] for token in tokens}
        self.slowest = 0.0
        self.error = None

    def run(self):
        try:
            while not self.ended.is_set():
                for token in self.tokens:
                    begin = time.monotonic()
                    self.tasks[token].append(self.client.push(notification(type="unicast", device_tokens=token)).ok()["task_id"])
                    self.slowest = max(self.slowest, time.monotonic() - begin)
        except Exception as error:
            self.error = error
        finally:
            self.client.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()


@pytest.mark.heavy
def test_a_hundred_thousand_devices_and_a_large_reorganisation_while_pushes_go_on(own_server, device):
    world = World(own_server)
    caller = world.app()
    old, new = world.org("old"), world.org("new")
    bureau = world.org("bureau", old)
    registered = [world.device(f"online-{number}", bureau) for number in range(CONNECTED)]
    phones = [device(own_server, one).connect() for one in registered]
    client = PushClient(own_server, caller.appkey, caller.secret).keep_connection()
    with Traffic(client, [one.token for one in registered]) as traffic:
        begin = time.monotonic()
        lines = (
            json.dumps({
                "kind": "device", "id": f"bulk-{number}", "platform": "android", "secret": "s",
                "org_id": bureau if number < IN_ONE_ORGANISATION - CONNECTED else old,
            }).encode() + b"\n"
            for number in range(DEVICES)
        )
        reply = world.admin.import_lines(lines, within=PATIENCE).ok()
        imported = time.monotonic() - begin
        assert (reply["created"], reply["failed"]) == (DEVICES, 0)
        assert world.admin.get("orgs", old).ok()["devices"] == DEVICES + CONNECTED

        before = caller.to_org(old, "before")
        begin = time.monotonic()
        world.admin.put("orgs", bureau, parent_id=new).ok()
        moved = time.monotonic() - begin
        after_old, after_new = caller.to_org(old, "after"), caller.to_org(new, "after")
        world.admin.put("orgs", bureau, parent_id=old).ok()
        world.admin.put("orgs", bureau, parent_id=new).ok()
    assert traffic.error is None, traffic.error

    counts = {task: caller.counts(task) for task in (before, after_old, after_new)}
    assert [found["targeted"] for found in counts.values()] == [
        DEVICES + CONNECTED, DEVICES + CONNECTED - IN_ONE_ORGANISATION, IN_ONE_ORGANISATION,
    ]
    for phone in phones:
        phone.wait_for(*traffic.tasks[phone.token], before, after_new)
        own = [task for task in phone.tasks() if task not in (before, after_new)]
        assert own == traffic.tasks[phone.token], "in order, once each"
        assert phone.tasks().count(before) == phone.tasks().count(after_new) == 1
        assert after_old not in phone.tasks()
    for task in (before, after_new):
        eventually(lambda: caller.counts(task)["delivered"] == CONNECTED, lambda: caller.counts(task))
        assert_balanced(caller.counts(task))
    pushes = sum(map(len, traffic.tasks.values()))
    print(f"imported in {imported:.1f} s, moved in {moved:.3f} s, {pushes} pushes meanwhile, the slowest took {traffic.slowest:.3f} s")
    assert moved < 60 and traffic.slowest < 30, (moved, traffic.slowest)
