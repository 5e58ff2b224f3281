"""Ending asyncio's tasks for certain."""

import asyncio


async def end_all(tasks, patience=3.0):
    """Cancels until all have ended: `asyncio.wait_for` (Python 3.11) swallows a cancellation that comes together with its result."""
    tasks = set(tasks)
    while left := {task for task in tasks if not task.done()}:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=patience)
    await asyncio.gather(*tasks, return_exceptions=True)
