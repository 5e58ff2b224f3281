"""The rules, and what a broken one looks like."""

from dataclasses import dataclass
from typing import Optional

RULES = {
    "lost": "what was answered SUCCESS reaches every device that it addresses",
    "late": "a device that was there gets it within its lifetime",
    "stranger": "nobody else gets it",
    "refused": "what was refused is never delivered",
    "twice": "one push is one task, also where its outcome was unknown",
    "out_biz_no": "one out_biz_no is one task",
    "content": "a device gets what was pushed",
    "order": "a device gets messages in the order of their acceptance, and none is left out",
    "repeated": "what was acknowledged, or sent on this connection, does not come again",
    "replaced": "a device that has another connection gets nothing more on the first, whichever nodes they are at",
    "window": "no more is unacknowledged than the device's Receive Maximum, and no packet identifier is used twice",
    "cancelled": "nothing of a task is handed over after its cancel was answered",
    "expired": "nothing of a task is handed over after it has expired",
    "superseded": "of a configuration only the newest is handed over",
    "withdrawn": "nothing that was pending reaches the next holder",
    "joining": "who joins gets the current configurations",
    "version": "configurations' versions grow with their order, one each",
    "sum": "the states sum to targeted",
    "counts": "counts are the distinct acknowledgements and receipts",
    "targeted": "who gets it is fixed when it is accepted",
    "falling": "no count that was read falls",
    "status": "a task that has ended stays so",
    "pending": "after healing nothing is pending",
    "healing": "pushes are taken again when the faults have ended",
    "list": "every task is listed once, in one order, alike on every node",
    "end": "the server ends only when it is asked to",
}


@dataclass(frozen=True)
class Tolerance:
    """Seconds that the interface leaves open."""

    expiry: float = 1.0  # between two clocks of one machine
    step: float = 2.0  # less than that is no step of the database's clock, whose time is the one of a store that nodes share
    written: float = 2.0  # acknowledgements that were read this long before a crash survive it
    elsewhere: float = 2.0  # and are in what another node tells
    recovery: float = 10.0  # after a fault of a store that nodes share each has caught up with the others
    there: float = 5.0  # a device that was connected this long before a push, without a fault, gets it within its lifetime


@dataclass(frozen=True)
class Violation:
    rule: str
    t: float
    text: str
    task: Optional[str] = None  # a push's key
    device: Optional[str] = None

    def __str__(self):
        about = " ".join(word for word in (self.task and f"push {self.task}", self.device and f"device {self.device}") if word)
        return f"{self.t:9.3f} {self.rule}: {about}{': ' if about else ''}{self.text}"
