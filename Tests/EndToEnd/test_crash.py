"""SIGKILL at any moment: every push that was answered SUCCESS arrives, is counted once a device, and nothing is counted twice."""

import os
import random
import threading
import time

import pytest

from kit.rest import PushClient, assert_balanced, notification
from kit.waiting import eventually
from kit.world import World

ROUNDS = int(os.environ.get("PSP_CRASH_ROUNDS", "20"))
SEED = int(os.environ.get("PSP_CRASH_SEED", "0")) or time.time_ns() % 1_000_000
CALLERS = 4
DEVICES = 6


class Caller(threading.Thread):
    """Pushes as fast as it can until the connection breaks; remembers what was answered."""

    def __init__(self, client, org, tokens, seed):
        super().__init__()
        self.client, self.org, self.tokens = client, org, tokens
        self.random = random.Random(seed)
        self.accepted = {}  # task to the number of devices that it addresses
        self.strange = []

    def run(self):
        try:
            while True:
                everyone = self.random.random() < 0.5
                target = {"type": "groupcast", "org_id": self.org} if everyone else {
                    "type": "unicast", "device_tokens": self.random.choice(self.tokens)}
                reply = self.client.push(notification(**target))
                if reply.json["ret"] == "SUCCESS":
                    self.accepted[reply.data["task_id"]] = DEVICES if everyone else 1
                else:
                    self.strange.append(reply)
        except OSError:
            pass  # killed
        except Exception as error:  # http.client's own, for an answer that ends in the middle
            if type(error).__module__ != "http.client":
                self.strange.append(error)
        finally:
            self.client.close()


@pytest.mark.heavy
def test_nothing_that_was_accepted_is_lost_or_counted_twice(own_server, device):
    print(f"PSP_CRASH_SEED={SEED} PSP_CRASH_ROUNDS={ROUNDS}")
    chance = random.Random(SEED)
    world = World(own_server)
    caller, home = world.app(), world.org("home")
    registered = [world.device(f"phone-{number}", home) for number in range(DEVICES)]
    tokens = [one.token for one in registered]
    phones = [device(own_server, one, chance.choice(("3.1.1", "5.0"))) for one in registered]
    ever = {token: set() for token in tokens}
    total = 0
    for round_number in range(ROUNDS):
        begin = int(time.time() * 1000) - 1
        # Half of the devices are connected and acknowledge while the server dies.
        for phone in phones[: DEVICES // 2]:
            phone.connect()
        callers = [
            Caller(PushClient(own_server, caller.appkey, caller.secret).keep_connection(), home, tokens, chance.random())
            for _ in range(CALLERS)
        ]
        for one in callers:
            one.start()
        moment = time.monotonic() + chance.uniform(0.02, 0.6)
        eventually(lambda: time.monotonic() > moment, "a random moment", interval=0.001)
        own_server.kill()
        for one in callers:
            one.join()
            assert not one.strange, one.strange
        for phone in phones:
            phone.vanish()
        accepted = {task: count for one in callers for task, count in one.accepted.items()}
        total += len(accepted)

        own_server.start()
        for phone in phones:
            phone.connect()
        expected = {token: set() for token in tokens}
        shown = {task["task_id"]: task for task in world.admin.tasks(**{"from": begin})}
        assert accepted.keys() <= shown.keys(), f"round {round_number}: {accepted.keys() - shown.keys()} are lost"
        # What was stored and not answered any more is delivered too.
        for task_id, task in shown.items():
            for token in [task["device_tokens"]] if "device_tokens" in task else tokens:
                expected[token].add(task_id)
        for phone in phones:
            phone.wait_for(*expected[phone.token])

        def unsettled():
            return [
                task for task in world.admin.tasks(**{"from": begin})
                if task["counts"]["delivered"] != task["counts"]["targeted"] or task["status"] != "completed"
            ]

        eventually(lambda: not unsettled(), unsettled)
        for task in world.admin.tasks(**{"from": begin}):
            assert_balanced(task["counts"])
            if task["task_id"] in accepted:
                assert task["counts"]["delivered"] == accepted[task["task_id"]], task
        for phone in phones:
            ever[phone.token] |= expected[phone.token]
            assert set(phone.tasks()) == ever[phone.token], "what was pushed to it, and nothing else"
            phone.disconnect()
    print(f"{total} pushes were answered")
    assert total > ROUNDS

