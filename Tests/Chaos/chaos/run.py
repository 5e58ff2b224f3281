"""A run: nodes, callers, an operator and devices; faults by the plan; healing; and everything that happened, as a history."""

import asyncio
import contextlib
import dataclasses
import pathlib
import random
import time

from . import history as events
from .callers import Caller
from .device import Phone
from .ending import end_all
from .faults import Injector
from .http import NoAnswer, NotSent
from .installation import Cluster, OneNode
from .operator import Operator, World
from .plan import plan
from .report import progress

APPS = ("police", "traffic")
HEALING = 30.0  # seconds without any progress, and it is given up
SAMPLE = 20  # tasks whose devices are listed in the end


@dataclasses.dataclass
class Settings:
    seed: int
    seconds: float
    faults: tuple
    directory: pathlib.Path
    nodes: int = 1
    patroni: bool = False  # who decides which database is the primary
    devices: int = 40
    callers: int = 4
    rate: float = 30.0  # calls a second, all callers together
    changes: float = 1.0  # of the directory, a second


@dataclasses.dataclass
class Outcome:
    history: list
    path: pathlib.Path
    seconds: float
    faults: dict
    left_out: dict  # fault to the reason
    strange: list  # what no checker is needed for


class Run:
    def __init__(self, settings):
        self.settings = settings
        self.recorder = events.Recorder(settings.directory / "history.jsonl")
        self.installation = (Cluster if settings.nodes > 1 else OneNode)(settings, self.recorder)
        self.left_out = self.installation.left_out
        self.faults = tuple(name for name in settings.faults if name not in self.left_out)
        self.world = World(settings.devices)
        self.nodes, self.doors = self.installation.nodes, self.installation.doors
        self.phones, self.callers, self.tasks = [], [], []
        self.strange = []

    def chance(self, name):
        return random.Random(f"{name} {self.settings.seed}")

    async def run(self, interrupted):
        """Returns the outcome; `None` where the event `interrupted` came before. However it ends, nothing stays behind."""
        work, interruption = asyncio.create_task(self._work()), asyncio.create_task(interrupted.wait())
        try:
            await asyncio.wait({work, interruption}, return_when=asyncio.FIRST_COMPLETED)
            await end_all({interruption} if work.done() else {work, interruption})
        finally:
            await self._tear_down()
        if interrupted.is_set():
            return None
        work.result()
        return Outcome(
            self.recorder.events, self.recorder.path, self.recorder.now(), dict(self.injector.counts), self.left_out, self.strange
        )

    async def _work(self):
        await self._set_up()
        await self._disturb()
        await self._heal()
        await self._conclude()

    async def _set_up(self):
        settings, recorder = self.settings, self.recorder
        recorder.note(events.Start(recorder.now(), time.time() - recorder.now(), settings.seed, self.installation.is_shared))
        await self.installation.start()
        namespace = self.installation.callers
        self.operator = Operator(recorder, self.nodes, self.world, self.chance("operator"), namespace=namespace)
        secrets = await self.operator.set_up(APPS)
        self.phones = [self._phone(number, token) for number, token in enumerate(self.world.tokens)]
        for phone in self.phones:
            phone.is_wanted.set()
        for number in range(settings.callers):
            app = APPS[number % len(APPS)]
            self.callers.append(
                Caller(
                    number,
                    app,
                    secrets[app],
                    recorder,
                    self.doors,
                    self.world,
                    self.chance(f"caller {number}"),
                    settings.rate / settings.callers,
                    namespace=namespace,
                )
            )
        self.injector = Injector(recorder, self.installation, self.phones, self.world)

    def _phone(self, number, token):
        # Every fourth device is where the callers are.
        cells = [*self.installation.cells.items(), (None, self.installation.callers)]
        cell, namespace = cells[number % len(cells)]
        return Phone(
            token,
            f"secret-of-{token}",
            self.recorder,
            self.doors,
            self.world.contents,
            self.chance(token),
            namespace=namespace,
            cell=cell,
        )

    async def _disturb(self):
        settings = self.settings
        self.injector.zero = self.recorder.now()
        self._begin(*(phone.run() for phone in self.phones))
        callers = self._begin(*(caller.run() for caller in self.callers), self.operator.run(settings.changes))
        self._begin(self._show())
        installation = self.installation
        places = {
            "node": len(self.nodes),
            "database": 1 if installation.database else 0,
            "patroni": 1 if installation.database else 0,
            "edge": len(installation.edges),
            "cell": len(installation.cells),
            "device": len(self.phones),
        }
        actions = plan(settings.seed, settings.seconds, self.faults, places)
        injecting = asyncio.create_task(self.injector.run(actions))
        try:
            await self._unless_broken(asyncio.gather(injecting, asyncio.sleep(settings.seconds)))
        finally:
            await end_all([injecting])
        for each in (*self.callers, self.operator):
            each.is_ending = True
        # A call that has still no certain answer is given up: nobody knows then.
        await self._unless_broken(asyncio.wait(callers, timeout=HEALING))
        await end_all(callers)

    def _begin(self, *coroutines):
        begun = [asyncio.create_task(each) for each in coroutines]
        self.tasks += begun
        return begun

    async def _unless_broken(self, awaitable):
        """Waits, and fails as soon as one of the run's own tasks has."""
        waiting = asyncio.ensure_future(awaitable)
        try:
            while True:
                done, _ = await asyncio.wait(
                    [waiting, *(task for task in self.tasks if not task.done())], return_when=asyncio.FIRST_COMPLETED
                )
                for task in self.tasks:
                    if task.done() and not task.cancelled() and task.exception():
                        raise task.exception()
                if waiting in done:
                    return waiting.result()
        finally:
            waiting.cancel()

    async def _show(self):
        while True:
            await asyncio.sleep(5 if self.settings.seconds <= 120 else 10)
            progress(self.recorder, self.settings.seconds, self.nodes)

    # Healing

    async def _heal(self):
        """Every device has its time, and hurries; whoever is connected stays so. As long as less and less is pending it goes on."""
        begin = self.recorder.now()
        for phone in self.phones:
            phone.tardy = 0
            phone.is_wanted.set()
        await self._probe(begin + HEALING)
        least, deadline = float("inf"), self.recorder.now() + HEALING
        while least > 0 and self.recorder.now() < deadline:
            with contextlib.suppress(NoAnswer, NotSent):
                listing = await self.operator.listing(self.nodes[0])
                pending = sum(counts["pending"] for _, _, _, counts in listing.items)
                if pending < least:
                    least, deadline = pending, self.recorder.now() + HEALING
            await asyncio.sleep(0.5)
        await asyncio.sleep(2.5)  # a ping of each device proves what it has acknowledged
        self.recorder.note(events.Healed(self.recorder.now(), begin))

    async def _probe(self, deadline):
        """A push to everybody, as soon as it is taken."""
        while self.recorder.now() < deadline:
            if await self.callers[0].push("msg", ("org", self.world.orgs[0]), key=f"probe-{self.recorder.now():.3f}"):
                return
            await asyncio.sleep(0.5)

    async def _conclude(self):
        """What operators and callers can read in the end."""
        for caller in self.callers:
            self.strange += caller.strange
        try:
            for node in self.nodes:
                await self._list(node)
            for caller in self.callers[: len(APPS)]:
                for tag in ("a", "b"):
                    await caller.statistics(tag)
        except (NoAnswer, NotSent) as error:
            self.strange.append(f"{self.recorder.now():.3f} what became of the pushes cannot be read: {error}")

    async def _list(self, node):
        listing = await self.operator.listing(node)
        self.recorder.note(listing)
        for task, *_ in self.chance("list").sample(listing.items, min(SAMPLE, len(listing.items))):
            self.recorder.note(await self.operator.recipients(task, "delivered", node))

    async def _tear_down(self):
        await end_all(self.tasks)
        for phone in self.phones:
            phone.end()
        for caller in self.callers:
            caller.close()
        await self.installation.close()
        self.recorder.close()
