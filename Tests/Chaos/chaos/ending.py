"""Ending asyncio's tasks for certain, and reaching all processes of a server."""

import asyncio
import contextlib
import os
import signal


async def end_all(tasks, patience=3.0):
    """Cancels until all have ended: `asyncio.wait_for` (Python 3.11) swallows a cancellation that comes together with its result."""
    tasks = set(tasks)
    while left := {task for task in tasks if not task.done()}:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=patience)
    await asyncio.gather(*tasks, return_exceptions=True)


def send_to_all(processes, number):
    """A signal to all that `processes()` tells, also to those that come meanwhile."""
    done = set()
    while left := [pid for pid in processes() if pid not in done]:
        for pid in left:
            done.add(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if number == signal.SIGKILL:
            break
