"""A caller who pushes without a rest."""

import http.client
import threading
import time

from .waiting import PATIENCE, eventually

#: How a push ends that was not answered as it should be.
TROUBLE = (OSError, http.client.HTTPException, AssertionError)


class Pusher(threading.Thread):
    """Pushes until it is told to end, each push until it is answered with SUCCESS. As a context manager it runs for as long as the block.

    `push` takes the push's number and returns its task; `trouble` is what it may raise, to be called again."""

    def __init__(self, push, pause, trouble=TROUBLE):
        super().__init__()
        self.push, self.pause, self.trouble = push, pause, trouble
        self.tasks, self.failures = [], []
        self.ending = threading.Event()

    def run(self):
        number = 0
        while not self.ending.is_set():
            number += 1
            while not self._has_pushed(number) and not self.ending.is_set():
                time.sleep(0.05)
            time.sleep(self.pause)

    def _has_pushed(self, number):
        try:
            self.tasks.append(self.push(number))
            return True
        except self.trouble as failure:
            self.failures.append(failure)
            return False

    def goes_on(self, count=5):
        before = len(self.tasks)
        eventually(lambda: len(self.tasks) >= before + count, lambda: self.failures[-1:])

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.join(PATIENCE)
