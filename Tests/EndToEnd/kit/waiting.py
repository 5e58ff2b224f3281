"""Waiting for a condition, with a deadline."""

import os
import time

# Seconds: many times what anything takes on a slow machine, since only a test that fails waits so long.
PATIENCE = float(os.environ.get("PSP_TEST_PATIENCE", "60"))


def eventually(condition, what, timeout=PATIENCE, interval=0.02):
    """Calls `condition` until it returns something true, and returns that; fails with `what` (or what that returns) at the deadline."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what() if callable(what) else what}")
        time.sleep(interval)


def throughout(condition, what, duration):
    """Calls `condition` for a while and fails as soon as it is false: for what must not happen."""
    deadline = time.monotonic() + duration
    while time.monotonic() < deadline:
        assert condition(), what() if callable(what) else what
        time.sleep(0.02)
