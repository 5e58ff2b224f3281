"""A model of the rules beside the real server, both driven at random: after every step each device has got exactly what was accepted
for it, and the counts are the model's."""

import collections
import os
import random
import time

import pytest

from kit import model
from kit.device import Device
from kit.rest import AdminClient, PushClient, assert_balanced, notification
from kit.server import Server
from kit.waiting import eventually

STEPS = int(os.environ.get("PSP_MODEL_STEPS", "300"))
SEED = int(os.environ.get("PSP_MODEL_SEED", "0")) or time.time_ns() % 1_000_000

TOKENS = [f"device-{number}" for number in range(10)]
ORGS = [f"org-{number}" for number in range(8)]
USERS = [f"user-{number}" for number in range(4)]
MOST_IN_HAND = 40  # far below the window that the server is started with
CONFIG = "psp/push/config"


class Driver:
    """Takes the same random step in the model and in the server, and compares."""

    def __init__(self, server, seed):
        self.server = server
        self.random = random.Random(seed)
        self.model = model.Model()
        self.admin = AdminClient(server)
        secret = self.admin.put("apps", "app", name="app", interfaces=["msg", "config"]).ok()["master_secret"]
        self.caller = PushClient(server, "app", secret)
        self.phones = {token: Device(server, token, "secret", self.random.choice(("3.1.1", "5.0"))) for token in TOKENS}
        self.history = []
        self.put_org(ORGS[0], None)
        for org in ORGS[1:]:
            self.put_org(org, self.random.choice(sorted(self.model.parents)))
        for token in TOKENS:
            self.register(token)

    def note(self, *words):
        self.history.append(" ".join(map(str, words)))

    # The steps

    def step(self):
        steps = [
            (20, self.push_message), (16, self.push_configuration), (5, self.cancel), (12, self.connect), (7, self.disconnect),
            (6, self.acknowledge), (8, self.move), (5, self.reparent), (6, self.change_user), (5, self.change_test),
            (3, self.remove_device), (4, self.register), (2, self.remove_org), (2, self.create_org), (1, self.restart),
        ]
        weights, actions = zip(*steps)
        for token, acknowledges in list(self.model.connected.items()):
            if not acknowledges and len(self.model.devices[token].holder.in_hand) > MOST_IN_HAND:
                return self.acknowledge(token)
        return self.random.choices(actions, weights)[0]()

    def target(self):
        kind = self.random.choice(("device", "user", "org", "org"))
        return kind, self.random.choice({"device": TOKENS, "user": USERS, "org": ORGS}[kind])

    def push_message(self):
        self.push("msg")

    def push_configuration(self):
        self.push("config")

    def push(self, kind):
        target, test, large = self.target(), self.random.random() < 0.25, self.random.random() < 0.2
        tag = self.random.choice(("", "t"))
        field = {"device": "device_tokens", "user": "user_id", "org": "org_id"}[target[0]]
        text = "x" * (300 if large else 10)
        body = notification(text) if kind == "msg" else {"payload": {"body": text}}
        body |= {"type": "groupcast" if target[0] == "org" else "unicast", field: target[1]}
        body["payload"] |= ({"tag": tag} if tag else {}) | ({"production_mode": not test})
        expected = self.model.refusal(target, test, large)
        reply = self.caller.push(body, kind)
        self.note("push", kind, target, "test" * test, tag, "large" * large, "->", reply.data.get("task_id", reply.code))
        assert reply.code == expected
        if expected is None:
            self.model.push(model.Task(reply.data["task_id"], kind, target, test, tag, large))

    def cancel(self):
        if not self.model.tasks:
            return
        task = self.random.choice(list(self.model.tasks.values())[-30:])
        self.note("cancel", task.id, task.status)
        assert self.caller.cancel(task.id).status == 202
        self.model.cancel(task)

    def connect(self):
        """A device that is connected already is taken over."""
        token = self.random.choice(TOKENS)
        if token not in self.model.devices:
            return
        acknowledges = self.random.random() < 0.7
        if len(self.model.devices[token].holder.due) > MOST_IN_HAND:
            acknowledges = True
        self.note("connect", token, "acknowledges" if acknowledges else "holds back")
        phone, old = self.phones[token], self.phones[token].client
        if old:
            phone.flush()
        phone.acknowledges = acknowledges
        phone.connect()
        if old:
            old.loop_stop()
        self.model.connect(token, acknowledges)

    def some_connected(self):
        return self.random.choice(sorted(self.model.connected)) if self.model.connected else None

    def disconnect(self):
        if token := self.some_connected():
            how = self.random.choice(("disconnect", "vanish"))
            self.note(how, token)
            self.phones[token].flush()
            getattr(self.phones[token], how)()
            self.model.disconnect(token)
            eventually(lambda: not self.admin.is_online(token), f"{token} is offline")

    def acknowledge(self, token=None):
        if token := token or self.some_connected():
            self.note("acknowledge", token)
            self.phones[token].acknowledge_all()
            self.model.acknowledge(token)

    def move(self):
        token, org = self.random.choice(TOKENS), self.random.choice(sorted(self.model.parents))
        if token in self.model.devices:
            self.note("move", token, org)
            self.admin.put("devices", token, org_id=org).ok()
            self.model.move(token, org)

    def reparent(self):
        org, parent = self.random.choice(sorted(self.model.parents)), self.random.choice([None, *sorted(self.model.parents)])
        self.put_org(org, parent)

    def create_org(self):
        missing = [org for org in ORGS if org not in self.model.parents]
        if missing:
            self.put_org(missing[0], self.random.choice([None, *sorted(self.model.parents)]))

    def put_org(self, org, parent):
        reply = self.admin.put("orgs", org, name=org, parent_id=parent)
        self.note("org", org, "below", parent, "->", reply.status)
        if parent is not None and org in self.model.ancestors(parent):
            assert reply.code == 2103
        else:
            reply.ok()
            self.model.put_org(org, parent)

    def remove_org(self):
        org = self.random.choice(sorted(self.model.parents))
        in_use = org in self.model.parents.values() or any(device.org == org for device in self.model.devices.values())
        reply = self.admin.delete("orgs", org)
        self.note("remove", org, "->", reply.status)
        if in_use:
            assert reply.code == 2207
        else:
            reply.ok()
            self.model.remove_org(org)

    def change_user(self):
        token, user = self.random.choice(TOKENS), self.random.choice([None, *USERS])
        if token in self.model.devices:
            self.note("user of", token, user)
            was_connected = token in self.model.connected
            self.admin.put("devices", token, user_id=user).ok()
            if self.model.set_user(token, user) and was_connected:
                self.phones[token].wait_closed()

    def change_test(self):
        token, test = self.random.choice(TOKENS), self.random.random() < 0.6
        if token in self.model.devices:
            self.note("test of", token, test)
            self.admin.put("devices", token, test=test).ok()
            self.model.set_test(token, test)

    def remove_device(self):
        token = self.random.choice(TOKENS)
        reply = self.admin.delete("devices", token)
        self.note("remove", token, "->", reply.status)
        if token not in self.model.devices:
            assert reply.code == 2201
            return
        reply.ok()
        was_connected = token in self.model.connected
        self.model.remove_device(token)
        if was_connected:
            self.phones[token].wait_closed()

    def register(self, token=None):
        token = token or next((token for token in TOKENS if token not in self.model.devices), None)
        if token:
            platform, org = self.random.choice(("android", "android", "ios")), self.random.choice(sorted(self.model.parents))
            self.note("register", token, platform, org)
            assert self.admin.put("devices", token, platform=platform, org_id=org, secret="secret").status == 201
            self.model.register(token, platform, org)

    def restart(self):
        self.note("restart")
        for token in list(self.model.connected):
            self.phones[token].flush()
            self.model.disconnect(token)
        assert self.server.stop() == 0
        for phone in self.phones.values():
            if phone.client:
                phone.wait_closed()
        self.server.start()

    # The comparison

    def compare(self):
        for token in TOKENS:
            eventually(lambda: self.has_arrived(token), lambda: self.difference(token))
        eventually(lambda: not self.wrong_tasks(), lambda: self.wrong_tasks())

    def arrived(self, token):
        return self.phones[token].tasks(), collections.Counter(self.phones[token].tasks(CONFIG))

    def has_arrived(self, token):
        messages, configurations = self.arrived(token)
        certain = {task: count for (to, task), count in self.model.certain.items() if to == token}
        return messages == self.model.messages[token] and all(
            certain.get(task, 0) <= configurations[task] <= certain.get(task, 0) + self.model.possible[token, task]
            for task in configurations.keys() | certain.keys()
        )

    def difference(self, token):
        messages, configurations = self.arrived(token)
        return (
            f"{token} has got {messages} and should have {self.model.messages[token]}; configurations {dict(configurations)}, "
            f"certain {[item for item in self.model.certain.items() if item[0][0] == token]}, "
            f"possible {[item for item in self.model.possible.items() if item[0][0] == token]}"
        )

    def wrong_tasks(self):
        shown = {task["task_id"]: task for task in self.admin.tasks()}
        assert shown.keys() == self.model.tasks.keys()
        wrong = {}
        for task_id, task in self.model.tasks.items():
            counts = shown[task_id]["counts"]
            assert_balanced(counts)
            expected = task.counts()
            expected_counts = {state: expected[state] for state in counts if state not in ("targeted", "opened", "applied", "failed")}
            expected_counts["targeted"] = len(task.states)
            if not counts.items() >= expected_counts.items() or shown[task_id]["status"] != task.status:
                wrong[task_id] = (counts, shown[task_id]["status"], "expected", expected_counts, task.status, task.target)
        return wrong

    def end(self):
        for phone in self.phones.values():
            phone.vanish()


@pytest.mark.heavy
def test_the_server_agrees_with_the_model(tmp_path, record_property):
    record_property("seed", SEED)
    print(f"PSP_MODEL_SEED={SEED} PSP_MODEL_STEPS={STEPS}")
    with Server(tmp_path / "data", "--window", "100") as server:
        driver = Driver(server, SEED)
        try:
            for _ in range(STEPS):
                driver.step()
                driver.compare()
        except AssertionError as error:
            recent = "\n".join(driver.history[-40:])
            raise AssertionError(f"seed {SEED}, step {len(driver.history)}:\n{recent}\n{error}\n{server.tail()}") from error
        finally:
            driver.end()
