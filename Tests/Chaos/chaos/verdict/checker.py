"""The verdict on a history: a pure function. It knows only what callers, operators and devices have seen.

What makes it exact in spite of faults and delays is that a connection is a stream. What a device receives after the answer to its
ping was sent after the server had read that ping, and so had read every acknowledgement before it; and if the ping was sent after
a cancel had been answered, nothing of that task may follow. Where the stream proves nothing, nothing is claimed.
"""

from .. import history as events
from .aftermath import Aftermath
from .connections import CERTAIN, POSSIBLE, Connection, Device
from .counts import Counts
from .directory import Directory
from .proofs import Proofs
from .rules import Tolerance, Violation
from .tasks import IPHONE_LIMIT, Tasks

# How a connection may have ended that another took over; 3.1.1 tells no reason.
TAKEN_OVER = (None, ("server", 0), ("server", 0x8E))


def check(history, tolerance=Tolerance()):
    """Every violation of the rules, in the order in which they were noticed."""
    return Checker(history, tolerance).verdict()


class Checker:
    def __init__(self, history, tolerance):
        self.history, self.tolerance = history, tolerance
        self.is_shared = any(type(event) is events.Start and event.shared for event in history)
        self.directory = Directory([event for event in history if type(event) is events.Change])
        clocks = (tolerance.step, tolerance.step) if self.is_shared else (0.0, tolerance.expiry)
        self.tasks = Tasks(history, self.directory, *clocks)
        self.violations = []
        self.devices, self.connections = {}, {}
        self.healed_at = None
        self.acknowledged_at = 0.0  # the last time that any device did
        self.proofs, self.counts = Proofs(self), Counts(self)
        self._seat()

    def _seat(self):
        """Each device's line of messages."""
        for task in sorted((t for t in self.tasks.by_key.values() if t.position is not None), key=lambda task: task.position):
            if not task.is_config:
                for token in task.must:
                    self.device(token).line.append(task)

    def device(self, token):
        device = self.devices.get(token)
        if device is None:
            device = self.devices[token] = Device(token, self.directory)
        return device

    def verdict(self):
        handlers = {}
        for name, kind in events.KINDS.items():
            found = (getattr(part, "on_" + name, None) for part in (self, self.proofs, self.counts))
            handlers[kind] = next((each for each in found if each), None)
        for event in self.history:
            handler = handlers[type(event)]
            if handler:
                handler(event)
        Aftermath(self).judge()
        return sorted(self.violations, key=lambda violation: violation.t)

    def blame(self, rule, t, text, task=None, device=None):
        self.violations.append(Violation(rule, t, text, task.key if task else None, device.token if device else None))

    # Connections

    def on_connect(self, event):
        device = self.device(event.device)
        connection = self.connections[event.conn] = Connection(event, device, self.proofs.crashes[event.node])
        line, base = device.line, device.base
        while base < len(line) and (device.acked.get(line[base]) == CERTAIN or line[base].over_to[0] < event.t):
            base += 1
        device.base = connection.cursor = base
        device.connections = [each for each in device.connections if not each.closed_by]
        connection.predecessors = [(each, each.arrived) for each in device.connections]
        device.connections.append(connection)

    def on_connack(self, event):
        """A takeover: the first connection was read until it was empty, unless it had ended before."""
        connection = self.connections[event.conn]
        if event.code != 0:
            return
        connection.accepted_at = event.t
        for each, arrived in connection.predecessors:
            if each.closed_by in TAKEN_OVER:
                self.proofs.prove(each, arrived, event.t)
            if each.accepted_at < connection.opened:
                each.replaced_at = min(each.replaced_at, event.t)

    def on_routed(self, event):
        """Which node the balancer has chosen."""
        connection = self.connections[event.conn]
        connection.node, connection.crashes = event.node, self.proofs.crashes[event.node]

    def on_arrived(self, event):
        connection = self.connections[event.conn]
        connection.arrived = len(connection.acks)

    def on_ping(self, event):
        connection = self.connections[event.conn]
        connection.pings.append((event.t, len(connection.acks)))

    def on_pong(self, event):
        connection = self.connections[event.conn]
        if connection.pings:
            connection.proof, count = connection.pings.popleft()
            self.proofs.prove(connection, count, event.t)

    def on_bye(self, event):
        self.connections[event.conn].said_bye = True

    def on_closed(self, event):
        """After DISCONNECT the server closes when it has read it."""
        connection = self.connections[event.conn]
        if event.by == "server" and connection.said_bye:
            self.proofs.prove(connection, len(connection.acks), event.t)
        connection.closed_by = event.by, event.reason

    # Frames and acknowledgements

    def on_frame(self, event):
        connection = self.connections[event.conn]
        device, task = connection.device, self.tasks.by_key.get(event.key)
        if task is None or not event.sound:
            self.blame("content", event.t, f"task {event.task} holds what nobody pushed", task, device)
        if connection.proof > connection.replaced_at:
            text = f"another one was accepted at {connection.replaced_at:.3f}; its node had since read what came at {connection.proof:.3f}"
            self.blame("replaced", event.t, text, task, device)
        inflight = connection.inflight
        if event.packet in inflight:
            self.blame("window", event.t, f"packet identifier {event.packet} is in use", task, device)
        inflight[event.packet] = task, event.t
        if len(inflight) > connection.receive_maximum:
            self.blame(
                "window",
                event.t,
                f"{len(inflight)} unacknowledged, Receive Maximum is {connection.receive_maximum}",
                task,
                device,
            )
        if task is None:
            return
        if event.task not in task.ids:
            if task.ids:
                self.blame("twice", event.t, f"came as {event.task}, and it is {task}", task, device)
            task.ids.add(event.task)
        if task.outcome == "refused":
            self.blame("refused", event.t, "was refused and came", task, device)
        elif task.is_config:
            self._configuration(event, connection, device, task)
        else:
            self._message(event, connection, device, task)
        connection.sent.add(task)

    def _message(self, event, connection, device, task):
        if device.token not in task.may:
            self.blame("stranger", event.t, f"was pushed to {task.kind} {task.name}", task, device)
        self._judge_end(event, connection, device, task)
        if task in connection.sent:
            self.blame("repeated", event.t, "came on this connection before", task, device)
        elif device.acked.get(task) == CERTAIN and connection.proof > device.acked_at[task]:
            # Otherwise the server may have sent it before: a device that reads nothing for a while reads it late.
            self.blame("repeated", event.t, "the server had read its acknowledgement", task, device)
        elif task.position is not None:
            self._judge_order(event, connection, device, task)

    def _judge_end(self, event, connection, device, task):
        over, how = task.over_to
        if connection.proof > over:
            self.blame(
                how,
                event.t,
                f"was over at {over:.3f}, and the server had since read what came at {connection.proof:.3f}",
                task,
                device,
            )
        if device.withdrawals and not task.is_config and connection.proof > device.has_lost(task):
            self.blame("withdrawn", event.t, f"was pending for another holder until {device.has_lost(task):.3f}", task, device)

    def _judge_order(self, event, connection, device, task):
        if task.position < connection.position:
            self.blame("order", event.t, "came after a later one", task, device)
            return
        connection.position = task.position
        if task.is_config:
            return
        line, cursor = device.line, connection.cursor
        while cursor < len(line) and line[cursor].position < task.position:
            missed = line[cursor]
            cursor += 1
            if missed not in device.acked and missed not in connection.sent and event.t < missed.over_from:
                if not device.may_have_lost(missed, event.t):
                    self.blame("order", event.t, f"was left out: {task} came, which is later", missed, device)
        connection.cursor = cursor

    def _configuration(self, event, connection, device, task):
        if task.version is None:
            task.version = event.version
        elif task.version != event.version:
            self.blame("version", event.t, f"had version {task.version}, and has {event.version}", task, device)
        # A member at the acceptance, or by joining since; another holder is a member only by what the device is to it.
        begin = task.begin
        for each in device.withdrawals:
            if not each.only_test and each.end < connection.proof:
                begin = max(begin, each.end)
        _, may = self.directory.members(begin, event.t, task.kind, task.name, task.test)
        is_too_large = task.size > IPHONE_LIMIT and self.directory.is_iphone(device.token)
        if device.token not in may or is_too_large:
            self.blame("stranger", event.t, f"was pushed to {task.kind} {task.name}", task, device)
        self._judge_end(event, connection, device, task)
        if self.directory.is_touched(device.token, task.begin, event.t):
            return  # it may have joined, and then it comes again, where it joined
        if task in connection.sent:
            self.blame("repeated", event.t, "came on this connection before, and the device joined nothing", task, device)
        elif not self.is_shared and device.acked.get((task, device.holder(event.t))) == CERTAIN:
            # Nodes that share a store may have it come again where it was not written yet how far the device is.
            self.blame(
                "repeated", event.t, "the server had read its acknowledgement, and the device joined nothing", task, device
            )
        elif task.position is not None:
            self._judge_order(event, connection, device, task)

    def on_ack(self, event):
        connection = self.connections[event.conn]
        self.acknowledged_at = event.t
        task, came = connection.inflight.pop(event.packet, (None, 0))
        if task is None:
            return
        device = connection.device
        what = (task, device.holder(event.t)) if task.is_config else task
        if event.reason >= 0x80:  # rejected: settled, and no delivery
            device.acked.setdefault(what, POSSIBLE)
            return
        device.acked_at[task] = event.t
        if task.is_config and event.t > connection.clouded:
            task.possible += 1  # nobody knows whose it is, and the next holder's may come yet
        elif what not in device.acked:
            device.acked[what] = POSSIBLE
            task.possible += 1
        if task.is_config:
            device.applied[task] = max(device.applied.get(task, came), came)
        connection.acks.append(task)

    def on_healed(self, event):
        self.healed_at = event.t
        if event.since and not any(
            type(each) is events.Push and each.outcome == 0 and each.begin >= event.since for each in self.history
        ):
            self.blame("healing", event.t, f"no push was answered SUCCESS since {event.since:.3f}, when all faults had ended")
