"""Callers: they push, repeat what got no answer, cancel, and read what became of it."""

import asyncio
import collections
import hashlib
import time
import urllib.parse

from . import history as events
from .http import Client, NoAnswer, NotSent
from .payload import payload, request, size

UNCERTAIN = 2901
EXPECTED = {2103, 2105, 2109, 2201, 2202, 2203, 2205, 2204, 2301, 2302, 2901}  # what these calls may be answered with
SIGNING = 2006  # while a clock is wrong by which callers are judged
RETRIES = 40


class Caller:
    def __init__(self, number, app, secret, recorder, doors, world, chance, rate, *, namespace=None):
        self.name, self.app, self.secret, self.recorder, self.doors = f"c{number}", app, secret, recorder, doors
        self.world, self.chance, self.rate = world, chance, rate
        self.clients = {door.name: Client(namespace) for door in doors}
        self.recent = collections.deque(maxlen=100)  # (task, key)
        self.numbers = 0
        self.last_number = self.last_push = None
        self.strange = []
        self.is_ending = False

    async def run(self):
        kinds = (("message", 60), ("configuration", 12), ("cancel", 6), ("read", 14), ("repeat", 3), ("misuse", 2))
        names, weights = zip(*kinds)
        while not self.is_ending:
            await asyncio.sleep(self.chance.expovariate(self.rate))
            await getattr(self, self.chance.choices(names, weights)[0])()

    async def call(self, method, target, body=None, timeout=10.0):
        """(node, when it began, outcome, data): the outcome of an attempt, `NotSent` where there was none."""
        node = self.chance.choice(self.doors)
        if not node.is_up.is_set():
            raise NotSent(node.name)
        stamp = str(int((time.time() + node.offset) * 1000))
        token = hashlib.md5((self.app.lower() + self.secret.lower() + stamp).encode()).hexdigest()
        headers = [("appkey", self.app), ("timestamp", stamp), ("validation-token", token)]
        begin = self.recorder.now()
        try:
            _, answer = await self.clients[node.name].call(node.http, method, target, headers, body, timeout)
        except NoAnswer:
            return node, begin, None, {}
        code = answer["data"].get("error_code", 0)
        if code and code not in EXPECTED and not (code == SIGNING and self.world.clock_is_doubtful):
            self.strange.append(f"{self.recorder.now():.3f} {method} {target}: {answer['data']}")
        return node, begin, None if code == UNCERTAIN else code, answer["data"]

    # Pushing

    async def message(self):
        target = self.world.target(self.chance)
        lasts = self.chance.choice((10.0, 15.0, 30.0)) if self.chance.random() < 0.1 else None
        await self.push("msg", target, lasts=lasts)

    async def configuration(self):
        lasts = 20.0 if self.chance.random() < 0.1 else None
        await self.push("config", self.world.target(self.chance), tag=self.chance.choice(("", "a")), lasts=lasts)

    async def push(self, interface, target, *, tag=None, lasts=None, biz=None, key=None):
        """All attempts at one push. Returns its task."""
        self.numbers += 1
        key = key or f"{self.name}-{self.numbers}"
        if biz is None and self.chance.random() < 0.7:
            biz = f"{self.name}-{self.numbers}"
            self.last_number = biz if self.chance.random() < 0.2 else self.last_number
        content = payload(key, interface, self.chance)
        self.world.contents[key] = content["body"]
        tag = tag if tag is not None else self.chance.choice(("", "a", "b"))
        test = self.chance.random() < 0.1
        content |= ({"tag": tag} if tag else {}) | ({"production_mode": False} if test else {})
        wish = None if lasts is None else round(time.time() + self.doors[0].offset + lasts, 3)
        fields = key, self.app, interface, *target, test, tag, size(content), wish, biz
        return await self._attempt(interface, request(target, content, wish, biz), fields)

    async def _attempt(self, interface, body, fields):
        key, biz = fields[0], fields[-1]
        for _ in range(RETRIES if biz else 1):
            try:
                node, begin, outcome, data = await self.call("POST", f"/psp/push/{interface}", body)
            except NotSent:
                await asyncio.sleep(0.2)
                continue
            task = data.get("task_id")
            self.recorder.note(events.Push(begin, self.recorder.now(), node.name, *fields, outcome, task))
            if outcome == 0:
                self.recent.append((task, key))
                self.last_push = interface, body, fields
                return task
            if outcome not in (None, 2301, 2302) or self.is_ending and outcome is not None:
                return None
            await asyncio.sleep(0.3)
        return None

    async def repeat(self):
        """The last push again, as after a time-out: the first task answers."""
        if self.last_push and self.last_push[-1][-1]:
            await self._attempt(*self.last_push)

    async def misuse(self):
        """A number that was used, with another body: refused."""
        if self.last_number:
            await self.push("msg", self.world.target(self.chance), biz=self.last_number)

    # Looking after it

    async def cancel(self):
        if not self.recent:
            return
        task, _ = self.chance.choice(list(self.recent)[-20:])
        try:
            node, begin, outcome, _ = await self.call("POST", f"/psp/push/task/{task}/cancel")
        except NotSent:
            return
        self.recorder.note(events.Cancel(begin, self.recorder.now(), node.name, task, outcome))

    async def read(self):
        if not self.recent:
            return
        task, _ = self.chance.choice(list(self.recent)[-40:])
        try:
            node, begin, outcome, data = await self.call("GET", f"/psp/push/task/{task}")
        except NotSent:
            return
        if outcome == 0:
            self.recorder.note(events.Read(begin, self.recorder.now(), node.name, task, data["status"], data["counts"]))

    async def statistics(self, tag):
        node, begin, outcome, data = await self.call("GET", "/psp/push/stats?" + urllib.parse.urlencode({"tag": tag}), timeout=60)
        if outcome == 0:
            counts = {name: value for name, value in data.items() if name != "tasks"}
            self.recorder.note(events.Stats(begin, self.recorder.now(), node.name, self.app, tag, data["tasks"], counts))

    def close(self):
        for client in self.clients.values():
            client.close()
