"""The operator: makes the directory, changes it all the time, one change after the other, and reads the lists in the end."""

import asyncio
import math
import time
import urllib.parse

from . import history as events
from .verdict.directory import State, Device
from .http import Client, NoAnswer, NotSent
from .node import ADMIN_TOKEN
from .payload import key_of

LONGEST = 120.0  # seconds for an answer: a change that gives up would be one of which nobody knows whether it comes yet


class Doubt:
    """Whether callers may be judged by a clock that is wrong: within the `with`, and for some time after it."""

    AFTERWARDS = 15.0

    def __init__(self):
        self.end = 0.0

    def __bool__(self):
        return time.monotonic() < self.end

    def __enter__(self):
        self.end = math.inf

    def __exit__(self, *_):
        self.end = time.monotonic() + self.AFTERWARDS


class World:
    """The directory as it was ordered, and what was pushed."""

    def __init__(self, devices):
        self.tokens = [f"phone-{number}" for number in range(devices)]
        self.users = [f"user-{number}" for number in range(max(2, devices // 4))]
        self.orgs = [f"org-{number}" for number in range(max(3, devices // 5))]
        self.state = State({}, {})
        self.contents = {}  # key to the body that devices must get
        self.clock_is_doubtful = Doubt()

    def target(self, chance):
        kind = chance.choices(("device", "user", "org"), (5, 2, 4))[0]
        return kind, chance.choice({"device": self.tokens, "user": self.users, "org": self.orgs}[kind])


class Operator:
    def __init__(self, recorder, nodes, world, chance, *, namespace=None):
        self.recorder, self.nodes, self.world, self.chance = recorder, nodes, world, chance
        self.client = Client(namespace)
        self.is_ending = False

    async def call(self, method, path, body=None, node=None):
        """`NoAnswer` and `NotSent` are the caller's business."""
        node = node or self.chance.choice(self.nodes)
        if not node.is_up.is_set():
            raise NotSent(node.name)
        headers = [("Authorization", f"Bearer {ADMIN_TOKEN}")]
        _, answer = await self.client.call(node.admin, method, path, headers, body, LONGEST)
        return answer["data"]

    async def insist(self, method, path, body=None, also=()):
        """Until it is certain that it was done; `also`: codes that say the same as success."""
        while True:
            try:
                data = await self.call(method, path, body)
                code = data.get("error_code", 0)
                if code == 0 or code in also:
                    return data
                if code not in (2301, 2302, 2901):
                    raise AssertionError(f"{method} {path} {body}: {data}")
            except (NoAnswer, NotSent):
                pass
            await asyncio.sleep(0.2)

    async def set_up(self, apps):
        """Returns the apps' secrets."""
        world, secrets = self.world, {}
        for app in apps:
            fields = {"name": app, "interfaces": ["msg", "config"], "master_secret": f"secret-of-{app}"}
            await self.insist("PUT", f"/psp/admin/apps/{app}", fields)
            secrets[app] = fields["master_secret"]
        for number, org in enumerate(world.orgs):
            await self.put_org(org, world.orgs[self.chance.randrange(number)] if number else None)
        for token in world.tokens:
            await self.register(token)
        return secrets

    async def run(self, rate):
        kinds = (("move", 12), ("reparent", 3), ("change_user", 4), ("change_test", 4), ("remove", 2), ("register", 4))
        names, weights = zip(*kinds)
        while not self.is_ending:
            await asyncio.sleep(self.chance.expovariate(rate))
            await getattr(self, self.chance.choices(names, weights)[0])()

    # Changes

    async def _change(self, what, name, fields, method, body=None, also=()):
        begin, end = self.recorder.now(), float("inf")
        kind = what.strip("-")
        try:
            await self.insist(method, f"/psp/admin/{kind}s/{name}", body, also)
            end = self.recorder.now()
        finally:
            self.recorder.note(events.Change(begin, end, what, name, fields))
        devices, parents = dict(self.world.state.devices), dict(self.world.state.parents)
        if what == "device":
            devices[name] = Device(**fields)
        elif what == "-device":
            devices.pop(name, None)
        else:
            parents[name] = fields["parent"]
        self.world.state = State(devices, parents)

    async def put_org(self, org, parent):
        await self._change("org", org, {"parent": parent}, "PUT", {"name": org, "parent_id": parent})

    async def put_device(self, token, **fields):
        found = self.world.state.devices.get(token)
        fields = (found._asdict() if found else {"user": None, "test": False}) | fields
        if found and Device(**fields) == found:
            return
        body = {
            "platform": fields["platform"],
            "org_id": fields["org"],
            "user_id": fields["user"],
            "test": fields["test"],
            "secret": f"secret-of-{token}",
        }
        await self._change("device", token, fields, "PUT", body)

    async def register(self, token=None):
        missing = [each for each in self.world.tokens if each not in self.world.state.devices]
        if token := token or next(iter(missing), None):
            # Each token keeps its platform, also where it is registered anew.
            number = self.world.tokens.index(token)
            platform = "ios" if number % 4 == 3 else "android"
            user = self.chance.choice([None, *self.world.users])
            await self.put_device(
                token, platform=platform, org=self.chance.choice(self.world.orgs), user=user, test=number % 3 == 0
            )

    def _some(self):
        return self.chance.choice(sorted(self.world.state.devices))

    async def move(self):
        await self.put_device(self._some(), org=self.chance.choice(self.world.orgs))

    async def change_user(self):
        await self.put_device(self._some(), user=self.chance.choice([None, *self.world.users]))

    async def change_test(self):
        token = self._some()
        await self.put_device(token, test=not self.world.state.devices[token].test)

    async def remove(self):
        if len(self.world.state.devices) > len(self.world.tokens) * 3 // 4:
            await self._change("-device", self._some(), {}, "DELETE", also=(2201,))

    async def reparent(self):
        org, parent = self.chance.choice(self.world.orgs), self.chance.choice([None, *self.world.orgs])
        if org not in self.world.state.ancestors(parent) and self.world.state.parents[org] != parent:
            await self.put_org(org, parent)

    # Lists

    async def listing(self, node):
        """Every task, oldest first; noted as an event only by whoever wants it so."""
        begin, items, after = self.recorder.now(), [], ""
        while True:
            data = await self.call("GET", f"/psp/admin/tasks?limit=1000{after}", node=node)
            if "error_code" in data:
                raise NoAnswer(str(data))
            items += [
                [item["task_id"], key_of(item["payload"]["body"]), item["status"], item["counts"]] for item in data["items"]
            ]
            if "next" not in data:
                return events.Listing(begin, self.recorder.now(), node.name, items[::-1])
            after = "&after=" + urllib.parse.quote(data["next"], safe="")

    async def recipients(self, task, state, node):
        begin, devices, after = self.recorder.now(), [], ""
        while True:
            data = await self.call("GET", f"/psp/admin/tasks/{task}/devices?state={state}&limit=1000{after}", node=node)
            if "error_code" in data:
                raise NoAnswer(str(data))
            devices += [item["device_token"] for item in data["items"]]
            if "next" not in data:
                return events.Recipients(begin, self.recorder.now(), node.name, task, state, devices)
            after = "&after=" + urllib.parse.quote(data["next"], safe="")
