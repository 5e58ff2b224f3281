"""When a device was there, and nothing was amiss."""

import bisect
import collections

from .. import history as events
from .tasks import NEVER


class Presence:
    """When a device was connected and nothing was amiss with it or with its node, or with the database that nodes share. A clock that is
    set excuses nobody."""

    def __init__(self, history, tokens, recovery):
        self.connected = collections.defaultdict(list)  # token to [from, to, node]
        self.amiss = collections.defaultdict(list)  # token or node to [from, to]
        self.frames = {token: [] for token in tokens}  # when something came
        open_, faults, devices = {}, {}, {}
        is_shared = any(type(event) is events.Start and event.shared for event in history)
        for event in history:
            kind = type(event)
            if kind is events.Connect:
                devices[event.conn] = event.device, event.node
            elif kind is events.Routed:
                devices[event.conn] = devices[event.conn][0], event.node
                if event.conn in open_:
                    open_[event.conn][2] = event.node
            elif kind is events.Frame:
                if (token := devices[event.conn][0]) in tokens:
                    self.frames[token].append(event.t)
            elif kind is events.Connack and event.code == 0:
                token, node = devices[event.conn]
                open_[event.conn] = [event.t, NEVER, node]
                self.connected[token].append(open_[event.conn])
            elif kind is events.Closed and event.conn in open_:
                open_[event.conn][1] = event.t
            elif kind is events.Fault and event.name not in ("clock", "dbclock"):
                who = event.device or event.node
                if event.edge == "begin":
                    faults[event.name, who] = [event.t, NEVER]
                    self.amiss[who].append(faults[event.name, who])
                elif (event.name, who) in faults:
                    faults[event.name, who][1] = event.t + (recovery if is_shared and not event.device else 0)

    def is_there(self, token, begin, end):
        for from_, to, node in self.connected.get(token, ()):
            if from_ <= begin and to >= end:
                return not any(a < end and b > begin for who in (token, node, None) for a, b in self.amiss.get(who, ()))
        return False

    def is_busy(self, token, begin, end):
        """Whether anything came: what is older goes first, and a slow device may not get to the end of it."""
        times = self.frames[token]
        return bisect.bisect_left(times, begin) < bisect.bisect_right(times, end)
