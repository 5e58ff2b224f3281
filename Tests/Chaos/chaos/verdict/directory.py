"""Who was where, as far as it can be known from outside: a change takes effect at some moment between its beginning and its
answer."""

import bisect
import collections
from typing import NamedTuple, Optional


class Device(NamedTuple):
    platform: str
    org: str
    user: Optional[str]
    test: bool


class Withdrawal(NamedTuple):
    """What was pending is taken back: all of it (another holder), or what was pushed in test mode."""

    begin: float
    end: float
    only_test: bool


class State:
    """The directory between two changes."""

    def __init__(self, devices, parents):
        self.devices, self.parents = devices, parents
        self._below = None

    def ancestors(self, org):
        while org is not None:
            yield org
            org = self.parents.get(org)

    def targets(self, token):
        """Everything by which this device is addressed, and whether it is a test device."""
        device = self.devices.get(token)
        if device is None:
            return None
        found = {("device", token), *(("org", org) for org in self.ancestors(device.org)), ("test", device.test)}
        return found | ({("user", device.user)} if device.user else set())

    def members(self, kind, name, test):
        if self._below is None:
            self._below = collections.defaultdict(set)
            for token in self.devices:
                for target in self.targets(token):
                    self._below[target].add(token)
        found = self._below.get((kind, name), frozenset())
        return frozenset(token for token in found if self.devices[token].test) if test else frozenset(found)


class Directory:
    """Every state in turn: state n is the one after n changes."""

    def __init__(self, changes):
        self.begins, self.ends, self.states = [], [], [State({}, {})]
        self.withdrawals = collections.defaultdict(list)  # token to those of its device, in order
        self.touched = collections.defaultdict(
            list
        )  # token to (begin, end) of what changed the targets that it is in, or its holder
        self._spans, self._iphones = {}, {}
        for change in changes:
            self._apply(change)

    def _apply(self, change):
        if self.ends and change.begin < self.ends[-1]:
            raise ValueError(f"changes of the directory overlap: {change}")
        before = self.states[-1]
        devices, parents = dict(before.devices), dict(before.parents)
        if change.what == "device":
            devices[change.name] = Device(**change.fields)
        elif change.what == "-device":
            devices.pop(change.name, None)
        elif change.what == "org":
            parents[change.name] = change.fields["parent"]
        else:
            parents.pop(change.name, None)
        after = State(devices, parents)
        self.begins.append(change.begin)
        self.ends.append(change.t)
        self.states.append(after)
        for token in [change.name] if "device" in change.what else before.devices:
            self._compare(token, before, after, change)

    def _compare(self, token, before, after, change):
        old, new = before.devices.get(token), after.devices.get(token)
        if before.targets(token) != after.targets(token):
            self.touched[token].append((change.begin, change.t))
        if old and (new is None or old.user is not None and new.user != old.user):
            self.withdrawals[token].append(Withdrawal(change.begin, change.t, False))
        elif old and old.test and not new.test:
            self.withdrawals[token].append(Withdrawal(change.begin, change.t, True))

    def span(self, begin, end):
        """The first and the last state that may have held at some moment between these two."""
        return bisect.bisect_right(self.ends, begin), bisect.bisect_left(self.begins, end)

    def members(self, begin, end, kind, name, test):
        """The devices that a target had for certain at every moment between these two, and those that it may have had at one."""
        key = (*self.span(begin, end), kind, name, test)
        if key not in self._spans:
            sets = [state.members(kind, name, test) for state in self.states[key[0] : key[1] + 1]]
            self._spans[key] = frozenset.intersection(*sets), frozenset.union(*sets)
        return self._spans[key]

    def is_touched(self, token, begin, end):
        """Whether something that concerns this device may have changed between these two."""
        return any(from_ < end and to > begin for from_, to in self.touched.get(token, ()))

    def joining(self, token, kind, name, test):
        """When the change began by which the device came into this target, where it still is."""
        found = None
        for index, begin in enumerate(self.begins):
            is_in = token in self.states[index + 1].members(kind, name, test)
            was_in = token in self.states[index].members(kind, name, test)
            if is_in and (not was_in or self._is_new_holder(token, begin)):
                found = begin
        return found

    def _is_new_holder(self, token, begin):
        return any(each.begin == begin and not each.only_test for each in self.withdrawals.get(token, ()))

    def is_iphone(self, token):
        """The platform never changes; a device that is registered anew may have another, and then nothing is said."""
        if token not in self._iphones:
            platforms = {state.devices[token].platform for state in self.states if token in state.devices}
            self._iphones[token] = platforms == {"ios"} if len(platforms) == 1 else None
        return self._iphones[token]
