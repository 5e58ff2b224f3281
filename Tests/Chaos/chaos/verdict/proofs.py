"""Which acknowledgements a node has read for certain, and which of them a crash may have undone."""

import collections

from .connections import CERTAIN, POSSIBLE
from .tasks import NEVER

HINDER_WRITING = ("stop", "full", "eio", "lock", "descriptors")
HARMLESS = ("kill", "restart", "log")  # to the writing; of a store that nodes share every other fault is not
EVERYBODY = None  # whom a fault of the database concerns


class Proofs:
    def __init__(self, case):
        self.case, self.written = case, case.tolerance.written
        self.recent = collections.defaultdict(collections.deque)  # node to (when, device, what): what a crash may undo
        self.hindering = collections.Counter()  # node to the faults that keep it from writing now
        self.crashes = collections.Counter()  # node to their number
        self.since = {}  # node to when the first of them began
        self.until = {}  # and when it has had the time to write what it had to

    def prove(self, connection, count, t):
        """The node has read the first `count` acknowledgements of this connection. After its crash nothing is proved any more: its last
        words may be noticed late."""
        if connection.crashes != self.crashes[connection.node] or connection.replaced_at < t:
            return
        if self.case.is_shared and self.is_hindered(connection.node, t):
            return  # it may have no lease, and then another node has the device
        device = connection.device
        for task in connection.acks[connection.proved : count]:
            if task.is_config:
                device.settled[task] = t
            if t > connection.clouded or task.test and device.may_have_lost(task, t):
                continue
            what = (task, device.holder(t)) if task.is_config else task
            if device.acked.get(what) == POSSIBLE:
                device.acked[what] = CERTAIN
                task.certain += 1
                task.proved_at = t
                if task.proofs is not None:
                    task.proofs.append((t, connection.node))
                self.recent[connection.node].append((t, device, what))
        connection.proved = max(connection.proved, count)

    def is_hindered(self, node, t):
        """Whether the node may have more to write than it could."""
        return any(self.hindering[each] > 0 or self.until.get(each, 0) > t for each in self._concerned(node))

    def _concerned(self, node):
        """Of whom a fault hinders it; of a balancer nobody knows whom it has asked."""
        return (node, EVERYBODY) if node in self.crashes else (*self.crashes, EVERYBODY)

    def hindered_since(self, node, t):
        """When that began; never, if it is not hindered."""
        times = [self.since[each] for each in self._concerned(node) if self.hindering[each] > 0 or self.until.get(each, 0) > t]
        return min(times, default=NEVER)

    def on_fault(self, event):
        is_shared = self.case.is_shared
        if event.name not in HINDER_WRITING and not (is_shared and event.name not in HARMLESS and event.device is None):
            return
        node = event.node
        if event.edge == "begin":
            if self.hindering[node] == 0 and self.until.get(node, 0) <= event.t:
                self.since[node] = event.t
            self.hindering[node] += 1
            if is_shared:
                # Its lease may lapse before it has written them, and then another node asks for them again.
                for each in [node] if node is not EVERYBODY else list(self.recent):
                    self._doubt(each, event.t - self.written)
        else:
            self.hindering[node] -= 1
            self.until[node] = event.t + (self.case.tolerance.recovery if is_shared else self.written)

    def on_node(self, event):
        self.crashes.setdefault(event.node, 0)
        if event.state == "died":
            self.case.blame("end", event.t, f"{event.node} ended by itself: {event.detail}")
        if event.state == "unwritten" and not self.is_hindered(event.node, event.t):
            self.case.blame("end", event.t, f"{event.node} could write, and has not: {event.detail}")
        if event.state in ("killed", "died", "unwritten"):
            self.crashes[event.node] += 1
            self._crash(event.node, event.t)
        elif event.state == "up":
            self.recent[event.node].clear()

    def _crash(self, node, t):
        """What was read shortly before may not have been written; with a disk that takes nothing, whatever was read since."""
        self._doubt(node, min(t, self.hindered_since(node, t)) - self.written)
        self.recent[node].clear()

    def _doubt(self, node, since):
        """What was read since then may not have been written."""
        recent = self.recent[node]
        while recent and recent[-1][0] >= since:
            proved, device, what = recent.pop()
            if device.acked.get(what) == CERTAIN:
                task = what[0] if type(what) is tuple else what
                device.acked[what] = POSSIBLE
                task.certain -= 1
                if task.proofs is not None and (proved, node) in task.proofs:
                    task.proofs.remove((proved, node))

    def forget(self, node, t):
        """Proofs that no crash undoes any more."""
        if not self.is_hindered(node, t):
            recent = self.recent[node]
            while recent and recent[0][0] < t - self.written:
                recent.popleft()
