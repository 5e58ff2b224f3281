"""What goes wrong with the database. Each ends when the standby has everything again: what a call that nobody was answered has left on
the primary alone would else be seen, and be gone after the next promotion."""

import asyncio
import contextlib
import os
import signal


class DatabaseFaults:
    def __init__(self, database, counts):
        self.database, self.counts = database, counts

    @staticmethod
    async def _do(what, *arguments):
        return await asyncio.to_thread(what, *arguments)

    async def _whole_again(self):
        """Also where a server has ended by itself, as one does whose disk is full."""
        pair = self.database
        for server in (pair.primary, pair.standby):
            if server.has_ended:
                server.process = None
                await self._do(server.start)
        await self._do(pair.catch_up)

    async def failover(self, action):
        pair = self.database
        try:
            await self._do(pair.primary.kill)
            await asyncio.sleep(action.lasts)
            await self._do(pair.promote)
        finally:
            await self._do(pair.rebuild)

    async def split(self, action):
        """Nobody ends the old primary: it finds no standby, and so may acknowledge nothing."""
        pair = self.database
        old = pair.primary
        try:
            await self._do(old.send, signal.SIGSTOP)
            await asyncio.sleep(action.lasts / 4)
            await self._do(pair.promote)
            await asyncio.sleep(action.lasts / 4)
            await self._do(old.send, signal.SIGCONT)
            await asyncio.sleep(action.lasts / 2)
        finally:
            await self._do(old.send, signal.SIGCONT)
            if pair.primary is not old:
                await self._do(pair.rebuild)

    async def crash(self, action):
        primary = self.database.primary
        try:
            await self._do(primary.kill)
            await asyncio.sleep(action.lasts)
        finally:
            await self._whole_again()

    async def standby(self, action):
        try:
            await self._do(self.database.standby.kill)
            await asyncio.sleep(action.lasts)
        finally:
            await self._whole_again()

    async def freeze(self, action):
        primary = self.database.primary
        try:
            await self._do(primary.send, signal.SIGSTOP)
            await asyncio.sleep(action.lasts)
        finally:
            await self._do(primary.send, signal.SIGCONT)
            await self._whole_again()

    async def lag(self, action):
        with self._without_receiver():
            await asyncio.sleep(action.lasts)
        await self._whole_again()

    @contextlib.contextmanager
    def _without_receiver(self):
        receiver = self.database.standby.wal_receiver()

        def send(number):
            with contextlib.suppress(ProcessLookupError):
                if receiver:
                    os.kill(receiver, number)

        send(signal.SIGSTOP)
        try:
            yield
        finally:
            send(signal.SIGCONT)

    async def cancel(self, action):
        await self._disturb_waiting("pg_cancel_backend", action)

    async def terminate(self, action):
        await self._disturb_waiting("pg_terminate_backend", action)

    async def _disturb_waiting(self, function, action):
        """Calls wait for a standby that does not answer, and are disturbed in it."""
        pair = self.database
        try:
            with self._without_receiver():
                end = asyncio.get_running_loop().time() + action.lasts
                while asyncio.get_running_loop().time() < end:
                    for pid in await self._do(pair.waiting):
                        await self._do(pair.primary.sql, f"SELECT {function}({pid})")
                        self.counts[f"{action.name}: calls"] += 1
                    await asyncio.sleep(0.05)
        finally:
            await self._whole_again()

    async def dbfull(self, action):
        pair = self.database
        try:
            pair.fail_disk("full")
            await asyncio.sleep(action.lasts)
        finally:
            pair.fail_disk(None)
            await self._whole_again()

    async def dbclock(self, action):
        pair = self.database
        try:
            await self._do(pair.shift_clock, int(action.detail["offset"] * 1000))
            await asyncio.sleep(action.lasts)
        finally:
            await self._do(pair.shift_clock, 0)
            await self._whole_again()
