"""What happened in a run: events in the order in which they were noticed. All that the checker knows.

Times are seconds since the run began, by the monotonic clock of the one process that notices everything. `t` is when an event was
noticed; what takes time has also its `begin`. `outcome` of a call: 0 for a success, the error code of a refusal, `None` where
nobody knows (no answer, or 2901). `key` is a push's own name, which it carries to the devices; all attempts at a push share it.
"""

import collections
import json
import time
from typing import NamedTuple, Optional


class Start(NamedTuple):
    t: float
    wall: float  # Unix seconds of the true clock at time 0
    seed: int
    shared: bool = False  # whether the nodes share a store


class Node(NamedTuple):
    t: float
    node: str
    # up: it serves; ended: by SIGTERM, with exit code 0; unwritten: by SIGTERM, and the database did not take what it had to write;
    # killed: by a fault; died: by itself
    state: str
    detail: str = ""


class Fault(NamedTuple):
    """Of a node, of a device, or of neither: then it is the database's, and concerns everybody."""

    t: float
    edge: str  # begin or end
    name: str
    node: Optional[str]
    device: Optional[str]
    detail: dict


class Push(NamedTuple):
    """One attempt."""

    begin: float
    t: float
    node: str
    key: str
    app: str
    interface: str  # msg or config
    kind: str  # the target: device, user or org
    name: str
    test: bool
    tag: str
    size: int  # bytes of the payload, as the interface counts them
    wish: Optional[float]  # expire_time, Unix seconds
    biz: Optional[str]
    outcome: Optional[int]
    task: Optional[str]


class Cancel(NamedTuple):
    begin: float
    t: float
    node: str
    task: str
    outcome: Optional[int]


class Read(NamedTuple):
    begin: float
    t: float
    node: str
    task: str
    status: str
    counts: dict


class Change(NamedTuple):
    """A change of the directory, until it was known to be made; `t` is infinite where it never was. One at a time."""

    begin: float
    t: float
    what: str  # device, org, or either with "-" before it: removed
    name: str
    fields: dict  # of a device: platform, org, user, test; of an organisation: parent


class Connect(NamedTuple):
    """CONNECT is about to be written."""

    t: float
    conn: int
    device: str
    node: str
    receive_maximum: int


class Routed(NamedTuple):
    """The balancer has connected a device to a node."""

    t: float
    conn: int
    node: str


class Connack(NamedTuple):
    t: float
    conn: int
    code: int


class Frame(NamedTuple):
    """A PUBLISH from the server. `version` is a configuration's; 0 is a message."""

    t: float
    conn: int
    packet: int
    task: str
    key: str
    version: int
    sound: bool  # its content is what was pushed


class Ack(NamedTuple):
    """PUBACK is about to be written."""

    t: float
    conn: int
    packet: int
    reason: int = 0


class Ping(NamedTuple):
    t: float
    conn: int


class Pong(NamedTuple):
    t: float
    conn: int


class Arrived(NamedTuple):
    """Everything written so far lies in the receive buffer of the server's socket: its kernel has acknowledged it."""

    t: float
    conn: int


class Bye(NamedTuple):
    """DISCONNECT is about to be written."""

    t: float
    conn: int


class Closed(NamedTuple):
    t: float
    conn: int
    by: str  # server or device
    reason: int = 0  # of a 5.0 server's DISCONNECT


class Receipt(NamedTuple):
    begin: float
    t: float
    conn: int
    task: str
    event: str  # opened, applied or failed
    outcome: Optional[int]


class Listing(NamedTuple):
    """All tasks that a node shows, oldest first: (task, key, status, counts)."""

    begin: float
    t: float
    node: str
    items: list


class Recipients(NamedTuple):
    begin: float
    t: float
    node: str
    task: str
    state: str
    devices: list


class Stats(NamedTuple):
    begin: float
    t: float
    node: str
    app: str
    tag: str
    tasks: int
    counts: dict


class Healed(NamedTuple):
    """Faults have ended, every device has had its time to connect and to catch up."""

    t: float
    since: float = 0.0  # when healing began


KINDS = {
    kind.__name__.lower(): kind
    for kind in (
        Start,
        Node,
        Fault,
        Push,
        Cancel,
        Read,
        Change,
        Connect,
        Routed,
        Connack,
        Frame,
        Ack,
        Ping,
        Pong,
        Arrived,
        Bye,
        Closed,
        Receipt,
        Listing,
        Recipients,
        Stats,
        Healed,
    )
}


class Recorder:
    """Keeps the events, and writes each to a file too, so that a run that is broken off leaves its history behind."""

    def __init__(self, path):
        self.path = path
        self.events, self.counts = [], collections.Counter()
        self.file = path.open("w")
        self.zero = time.monotonic()

    def now(self):
        return time.monotonic() - self.zero

    def note(self, event):
        name = type(event).__name__.lower()
        self.events.append(event)
        self.counts[name] += 1
        self.file.write(json.dumps([name, *event], separators=(",", ":")) + "\n")

    def close(self):
        self.file.close()


def load(path):
    """The events of a kept history. A last line that was cut off is left out."""
    events = []
    with open(path) as file:
        for line in file:
            if line.endswith("\n"):
                kind, *fields = json.loads(line)
                events.append(KINDS[kind](*fields))
    return events
