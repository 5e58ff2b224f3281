"""What the checker keeps of a device and of each of its connections while it reads a history."""

import bisect
import collections

from .tasks import NEVER

POSSIBLE, CERTAIN = 1, 2  # an acknowledgement that was sent; one that the server has read


class Device:
    def __init__(self, token, directory):
        self.token = token
        self.withdrawals = directory.withdrawals.get(token, ())
        self.changes_of_holder = [each.begin for each in self.withdrawals if not each.only_test]
        self.line = []  # the messages that it must get, by position
        self.base = 0  # all before this in `line` are settled
        self.acked = {}  # task, or (configuration, holder), to POSSIBLE or CERTAIN
        self.acked_at = {}  # task to when its last acknowledgement was sent
        self.applied = {}  # configuration to when it came last and was acknowledged
        self.settled = {}  # configuration to when the server had read the last acknowledgement of it
        self.connections = []

    def may_have_lost(self, task, now):
        """Whether the task may have been withdrawn from it."""
        return any(each.end > task.begin and each.begin < now and (task.test or not each.only_test) for each in self.withdrawals)

    def has_lost(self, task):
        """When the task was withdrawn for certain; never, if it was not."""
        return next((each.end for each in self.withdrawals if each.begin > task.end and (task.test or not each.only_test)), NEVER)

    def holder(self, now):
        return bisect.bisect_right(self.changes_of_holder, now)


class Connection:
    def __init__(self, event, device, crashes):
        self.number, self.device, self.node = event.conn, device, event.node
        self.opened = self.proof = event.t  # all that comes was sent after the server had read what was sent at `proof`
        self.accepted_at = self.replaced_at = NEVER  # replaced: another connection of its device was accepted since
        self.receive_maximum = event.receive_maximum
        self.inflight = {}  # packet identifier to (task, when it came)
        self.sent = set()
        self.position = -1
        self.cursor = 0  # in the device's line
        self.acks = []  # tasks, in the order of the acknowledgements
        self.proved = 0  # that many of them the server has read
        self.pings = collections.deque()  # (when, acknowledgements before it), those without an answer
        self.arrived = 0  # that many are in the server's buffer
        self.predecessors = ()  # (connection, acknowledgements in the server's buffer) when this one began
        self.closed_by = None  # (who, reason)
        self.said_bye = False
        self.crashes = crashes  # its node's, when it began
        # From then on the device may have another holder.
        self.clouded = min(
            (each.begin for each in device.withdrawals if each.end > event.t and not each.only_test), default=NEVER
        )
