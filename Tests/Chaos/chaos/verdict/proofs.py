"""Which acknowledgements a node has read for certain, and which of them a crash may have undone."""

import collections

from .connections import CERTAIN, POSSIBLE

HINDER_WRITING = ("stop", "full", "eio", "lock", "descriptors")


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
        if connection.crashes != self.crashes[connection.node]:
            return
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
        return self.hindering[node] > 0 or self.until.get(node, 0) > t

    def on_fault(self, event):
        if event.name not in HINDER_WRITING:
            return
        node = event.node
        if event.edge == "begin":
            if not self.is_hindered(node, event.t):
                self.since[node] = event.t
            self.hindering[node] += 1
        else:
            self.hindering[node] -= 1
            self.until[node] = event.t + self.written

    def on_node(self, event):
        if event.state == "died":
            self.case.blame("end", event.t, f"{event.node} ended by itself: {event.detail}")
        if event.state in ("killed", "died"):
            self.crashes[event.node] += 1
            self._crash(event.node, event.t)
        elif event.state == "up":
            self.recent[event.node].clear()

    def _crash(self, node, t):
        """What was read shortly before may not have been written; with a disk that takes nothing, whatever was read since."""
        since = t - self.written
        if self.is_hindered(node, t):
            since = min(since, self.since[node] - self.written)
        recent = self.recent[node]
        while recent and recent[-1][0] >= since:
            proved, device, what = recent.pop()
            if device.acked.get(what) == CERTAIN:
                task = what[0] if type(what) is tuple else what
                device.acked[what] = POSSIBLE
                task.certain -= 1
                if task.proofs is not None and (proved, node) in task.proofs:
                    task.proofs.remove((proved, node))
        recent.clear()

    def forget(self, node, t):
        """Proofs that no crash undoes any more."""
        if not self.is_hindered(node, t):
            recent = self.recent[node]
            while recent and recent[0][0] < t - self.written:
                recent.popleft()
