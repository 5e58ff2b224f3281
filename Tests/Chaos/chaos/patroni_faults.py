"""What goes wrong with PostgreSQL under Patroni. Each ends when all three members are whole again, which Patroni alone brings about."""

import asyncio
import signal


class PatroniFaults:
    def __init__(self, patroni, counts, cuts):
        self.patroni, self.counts, self.cuts = patroni, counts, cuts

    async def _whole_again(self):
        await asyncio.to_thread(self.patroni.become_whole)

    async def _member(self, role):
        return await asyncio.to_thread(self.patroni.one, role)

    async def pgkill(self, action):
        primary = await self._member("leader")
        await asyncio.to_thread(primary.send, signal.SIGKILL, "postgres")
        await asyncio.sleep(action.lasts)
        await self._whole_again()

    async def power(self, action):
        await self._power(await self._member("leader"), action)

    async def follower(self, action):
        standby = await self._member("sync_standby")
        if action.detail["how"] == "power":
            await self._power(standby, action)
        else:
            await self._isolate(standby, (None,), "both", action)

    async def _power(self, machine, action):
        try:
            await asyncio.to_thread(machine.kill)
            await asyncio.sleep(action.lasts)
        finally:
            await asyncio.to_thread(machine.start)
        await self._whole_again()

    async def pause(self, action):
        """What is stopped goes on as the primary that it was, until Patroni looks."""
        primary = await self._member("leader")
        names = ("postgres",) if action.detail["what"] == "postgres" else ()
        try:
            await asyncio.to_thread(primary.send, signal.SIGSTOP, *names)
            await asyncio.sleep(action.lasts)
        finally:
            await asyncio.to_thread(primary.send, signal.SIGCONT, *names)
        await self._whole_again()

    async def isolate(self, action):
        primary = await self._member("leader")
        others = tuple(name for name in self.patroni.places if name != primary.name)
        await self._isolate(primary, others if action.detail["from"] == "members" else (None,), action.detail["way"], action)

    async def _isolate(self, machine, others, way, action):
        async with self.cuts.cut((machine.name, others), way):
            await asyncio.sleep(action.lasts)
        await self._whole_again()

    async def switchover(self, action):
        primary = await self._member("leader")
        await asyncio.to_thread(primary.ask, "POST", "/switchover", {"leader": primary.name}, 60)
        await asyncio.sleep(action.lasts)
        await self._whole_again()
