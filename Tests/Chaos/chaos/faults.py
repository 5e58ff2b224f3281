"""Carries the plan out. Whatever an action has done is undone at its end, also when the run is broken off."""

import asyncio
import collections
import contextlib
import sqlite3

from .ending import end_all
from .history import Fault
from .network import Cuts
from .plan import DATABASES, FAULTS


class Injector:
    def __init__(self, recorder, installation, phones, world):
        self.recorder, self.phones, self.world = recorder, phones, world
        self.nodes, self.edges = installation.nodes, installation.edges
        self.cells = list(installation.cells)
        self.counts = collections.Counter()
        self.locks = {node.name: asyncio.Lock() for node in self.nodes}  # one fault of a node at a time
        self.cuts = Cuts(installation.networks)
        self.database_faults = installation.database and installation.database.faults(self.counts, self.cuts)
        self.database_lock = asyncio.Lock()

    async def run(self, actions):
        """Returns when every action has ended. Broken off, it still heals what it has done."""
        tasks = []
        try:
            for action in actions:
                await asyncio.sleep(max(0.0, action.start - self.recorder.now() + self.zero))
                tasks.append(asyncio.create_task(self._perform(action)))
            await asyncio.gather(*tasks)
        finally:
            await end_all(tasks)

    async def _perform(self, action):
        scope = FAULTS[action.name].scope
        perform = getattr(self.database_faults if scope in DATABASES else self, action.name)
        if scope == "node":
            node = self.nodes[action.where]
            async with self.locks[node.name]:
                await node.is_up.wait()
                self.counts[action.name] += 1
                await perform(node, action)
        elif scope in DATABASES:
            async with self.database_lock:
                self.counts[action.name] += 1
                self.begin(action.name, **action.detail)
                try:
                    with self.world.clock_is_doubtful if action.name == "dbclock" else contextlib.nullcontext():
                        await perform(action)
                finally:
                    self.end(action.name)
        elif scope in ("cell", "edge"):
            self.counts[action.name] += 1
            await perform(action)
        else:
            phone = self.phones[action.where]
            if action.name == "away" or phone.link and not phone.link.is_deaf and not phone.link.is_mute:
                self.counts[action.name] += 1
                await perform(phone, action)

    def begin(self, name, node=None, device=None, **detail):
        self.recorder.note(Fault(self.recorder.now(), "begin", name, node and node.name, device and device.token, detail))

    def end(self, name, node=None, device=None):
        self.recorder.note(Fault(self.recorder.now(), "end", name, node and node.name, device and device.token, {}))

    # Nodes

    async def kill(self, node, action):
        self.begin("kill", node)
        try:
            await node.kill()
            await asyncio.sleep(action.lasts)
        finally:
            await node.start()
            self.end("kill", node)

    async def restart(self, node, action):
        self.begin("restart", node)
        try:
            await node.end()
            await asyncio.sleep(action.lasts)
        finally:
            await node.start()
            self.end("restart", node)

    async def stop(self, node, action):
        self.begin("stop", node)
        try:
            node.stop()
            await asyncio.sleep(action.lasts)
        finally:
            node.resume()
            self.end("stop", node)
            await self._kill_too(node, action)

    async def full(self, node, action):
        """A server that is killed meanwhile is started when there is room again."""
        self.begin("full", node)
        try:
            node.fail_disk("full")
            await asyncio.sleep(action.lasts)
            if action.detail.get("kill"):
                self.counts["kill"] += 1
                await node.kill()
        finally:
            node.fail_disk(None)
            self.end("full", node)
            await node.start()

    async def eio(self, node, action):
        self.begin("eio", node)
        try:
            node.fail_disk(action.detail["how"])
            await asyncio.sleep(action.lasts)
        finally:
            await node.kill()
            node.fail_disk(None)
            await node.start()
            self.end("eio", node)

    async def lock(self, node, action):
        self.begin("lock", node)
        release = None
        try:
            release = await asyncio.to_thread(node.lock_store)
            await asyncio.sleep(action.lasts)
        except sqlite3.OperationalError:
            self.counts["lock"] -= 1  # the server was faster for five seconds
        finally:
            if release:
                await asyncio.to_thread(release)
            self.end("lock", node)
            await self._kill_too(node, action)

    async def clock(self, node, action):
        """Noted at the moment of the step: the checker converts lifetimes by it."""
        with self.world.clock_is_doubtful:
            if action.detail["boot"]:
                await node.end()
            self.begin("clock", node, offset=action.detail["offset"])
            try:
                node.set_clock(action.detail["offset"])
                await node.start()
                await asyncio.sleep(action.lasts)
            finally:
                node.set_clock(0.0)
                self.end("clock", node)
                await node.start()

    async def descriptors(self, node, action):
        self.begin("descriptors", node)
        try:
            node.limit_descriptors(0)
            await asyncio.sleep(action.lasts)
        finally:
            node.limit_descriptors(None)
            self.end("descriptors", node)
            await self._kill_too(node, action)

    async def log(self, node, action):
        self.begin("log", node)
        try:
            node.stall_log()
            await asyncio.sleep(action.lasts)
        finally:
            node.resume_log()
            self.end("log", node)
            await self._kill_too(node, action)

    async def _kill_too(self, node, action):
        if action.detail.get("kill"):
            self.counts["kill"] += 1
            await node.kill()
            await node.start()

    # Networks

    async def cut(self, action):
        cell = self.cells[action.where]
        concerned = [phone for phone in self.phones if phone.cell == cell]
        await self._cut((cell, (None,)), action, [{"device": phone} for phone in concerned])

    async def edge(self, action):
        """Between a node and the database all hosts of it are cut off."""
        concerned, place, others = self.edges[action.where]
        node = next((node for node in self.nodes if node.name == concerned), None)
        await self._cut((place, others), action, [{"node": node}])

    async def _cut(self, what, action, concerned):
        if what in self.cuts.current:
            return
        for each in concerned:
            self.begin(action.name, **each, **action.detail, where=f"{what[0]} {' '.join(filter(None, what[1]))}")
        try:
            async with self.cuts.cut(what, action.detail["way"]):
                await asyncio.sleep(action.lasts)
        finally:
            for each in concerned:
                self.end(action.name, **each)

    # Devices

    async def deaf(self, phone, action):
        link = phone.link
        self.begin("deaf", device=phone)
        try:
            link.deafen(True)
            await asyncio.sleep(action.lasts)
        finally:
            link.deafen(False)
            self.end("deaf", device=phone)

    async def mute(self, phone, action):
        link = phone.link
        self.begin("mute", device=phone)
        try:
            link.mute(True)
            await asyncio.sleep(action.lasts)
        finally:
            if action.detail["then"] == "drop":
                link.drop()
            else:
                link.mute(False)
            self.end("mute", device=phone)

    async def skip(self, phone, action):
        """Has no end: until the server does something about it."""
        self.begin("skip", device=phone)
        phone.link.skips = True

    async def vanish(self, phone, action):
        self.begin("vanish", device=phone)
        phone.vanish()
        self.end("vanish", device=phone)

    async def twice(self, phone, action):
        self.begin("twice", device=phone)
        await phone.connect()
        self.end("twice", device=phone)

    async def away(self, phone, action):
        try:
            await phone.leave()
            await asyncio.sleep(action.lasts)
        finally:
            phone.is_wanted.set()
