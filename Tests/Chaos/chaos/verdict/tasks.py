"""What the callers know of each push, from all attempts at it: what it must do, what it may do, and when it was over."""

import bisect
import collections

from ..history import Cancel, Fault, Frame, Listing, Push, Read, Start

NEVER = float("inf")
ALWAYS = float("-inf")
IPHONE_LIMIT = 256  # bytes of a payload


class Task:
    __slots__ = (
        "key",
        "app",
        "is_config",
        "kind",
        "name",
        "test",
        "tag",
        "size",
        "biz",
        "begin",
        "end",
        "outcome",
        "ids",
        "position",
        "status",
        "must",
        "may",
        "oversize",
        "expires_from",
        "expires_to",
        "cancelled_from",
        "cancelled_to",
        "superseded_from",
        "superseded_to",
        "possible",
        "certain",
        "proofs",
        "reads",
        "version",
        "proved_at",
    )

    def __init__(self, push):
        self.key, self.app, self.is_config, self.kind, self.name = (
            push.key,
            push.app,
            push.interface == "config",
            push.kind,
            push.name,
        )
        self.test, self.tag, self.size, self.biz = push.test, push.tag, push.size, push.biz
        self.begin = self.end = None  # it was accepted at some moment between the two
        self.outcome = ""  # success, refused or unknown
        self.ids = set()
        self.position = self.status = self.version = None
        self.must = self.may = self.oversize = frozenset()
        self.expires_from = self.expires_to = NEVER
        self.cancelled_from = self.cancelled_to = self.superseded_from = self.superseded_to = NEVER
        self.possible = self.certain = 0  # acknowledgements that were sent, and those that the server is known to have read
        self.proofs = None  # when, where somebody reads the counts
        self.reads = []
        self.proved_at = ALWAYS

    @property
    def interface(self):
        return "config" if self.is_config else "msg"

    @property
    def slot(self):
        """Of the configurations in one slot only the newest counts."""
        return self.app, self.kind, self.name, self.tag, self.test

    @property
    def over_from(self):
        """From then on it may be over."""
        return min(self.expires_from, self.cancelled_from, self.superseded_from)

    @property
    def over_to(self):
        """From then on it is over for certain, and why."""
        return min((self.expires_to, "expired"), (self.cancelled_to, "cancelled"), (self.superseded_to, "superseded"))

    def __repr__(self):
        return f"{self.key} ({'/'.join(sorted(self.ids)) or 'no task'})"


class Tasks:
    def __init__(self, history, directory, before, after):
        """What expires may do so that long before, and must so long after."""
        self.by_key = {}
        self.by_id = {}
        self.listing = None
        self._directory = directory
        self._clock = Clock(history)
        self._before, self._after = before, after
        self._attempts = collections.defaultdict(list)
        self._gather(history)
        first_frames = self._first_frames(history)
        for key, attempts in self._attempts.items():
            self._decide(key, attempts, first_frames.get(key, NEVER))
        self._place()
        self._cancel(history)
        self._supersede()

    def _gather(self, history):
        for event in history:
            if type(event) is Push:
                self._attempts[event.key].append(event)
            elif type(event) is Listing:
                self.listing = event

    def _first_frames(self, history):
        """When a push whose outcome nobody was told had been accepted at the latest."""
        unknown = {key for key, attempts in self._attempts.items() if not any(each.outcome == 0 for each in attempts)}
        found = {}
        for event in history:
            if type(event) is Frame and event.key in unknown and event.key not in found:
                found[event.key] = event.t
        return found

    def _decide(self, key, attempts, seen):
        task = self.by_key[key] = Task(attempts[0])
        successes = [each for each in attempts if each.outcome == 0]
        task.begin = min(each.begin for each in attempts)
        if successes:
            task.outcome, task.end = "success", min(each.t for each in successes)
            task.ids = {each.task for each in successes}
        elif any(each.outcome is None for each in attempts):
            task.outcome, task.end = "unknown", seen
        else:
            task.outcome, task.end = "refused", max(each.t for each in attempts)
        if attempts[0].wish is not None:
            task.expires_from, task.expires_to = self._clock.lifetime(attempts, self._before, self._after)
        for each in task.ids:
            self.by_id[each] = task

    def _place(self):
        """Positions by the list of all tasks; who is addressed, by the moment of acceptance."""
        for position, (task_id, key, status, _) in enumerate(self.listing.items if self.listing else ()):
            task = self.by_key.get(key)
            if task is None:
                continue
            if not task.ids:
                task.ids, task.end = {task_id}, min(task.end, self.listing.t)
            self.by_id[task_id] = task
            task.position, task.status = position, status
        for task in self.by_key.values():
            if task.outcome != "refused":
                self._address(task)

    def _address(self, task):
        must, may = self._directory.members(task.begin, task.end, task.kind, task.name, task.test)
        if task.size > IPHONE_LIMIT:
            iphones = {token: self._directory.is_iphone(token) for token in may}
            task.oversize = frozenset(token for token in must if iphones[token])
            must = frozenset(token for token in must if iphones[token] is False)
            may = frozenset(token for token in may if iphones[token] is not True)
        task.must, task.may = must if task.position is not None or task.outcome == "success" else frozenset(), may

    def _cancel(self, history):
        for event in history:
            if type(event) is Cancel and (task := self.by_id.get(event.task)) and event.outcome in (0, None):
                task.cancelled_from = min(task.cancelled_from, event.begin)
                if event.outcome == 0:
                    task.cancelled_to = min(task.cancelled_to, event.t)
            elif type(event) is Read and (task := self.by_id.get(event.task)):
                task.proofs = []

    def _supersede(self):
        slots = collections.defaultdict(list)
        for task in self.by_key.values():
            if task.is_config and task.outcome != "refused":
                slots[task.slot].append(task)
        for tasks in slots.values():
            placed = sorted((task for task in tasks if task.position is not None), key=lambda task: task.position)
            for older, newer in zip(placed, placed[1:]):
                older.superseded_from = newer.begin
                older.superseded_to = newer.end if newer.outcome == "success" else NEVER

    def current(self):
        """The configurations that are the newest of their slots and not over."""
        newest = {}
        for task in sorted(
            (task for task in self.by_key.values() if task.is_config and task.position is not None), key=lambda t: t.position
        ):
            newest[task.slot] = task
        return list(newest.values())


class Clock:
    """The server's clock beside the true one, which a fault may set. A lifetime is what is left of it when the push is accepted, and
    runs by the true clock. Where nodes share a store the clock is the database's: a fault sets it somewhere between its beginning
    and its end."""

    def __init__(self, history):
        self.wall = next((event.wall for event in history if type(event) is Start), 0.0)
        self.steps = collections.defaultdict(lambda: ([ALWAYS], [0.0]))
        for event in history:
            if type(event) is Fault and event.name == "clock":
                times, offsets = self.steps[event.node]
                times.append(event.t)
                offsets.append(event.detail["offset"] if event.edge == "begin" else 0.0)
        self.database = []
        for event in history:
            if type(event) is Fault and event.name == "dbclock":
                if event.edge == "begin":
                    self.database.append((event.t, float("inf"), event.detail["offset"]))
                elif self.database:
                    self.database[-1] = (self.database[-1][0], event.t, self.database[-1][2])

    def lifetime(self, attempts, before, after):
        """(From when on it may be over, from when on it must be)."""
        found = []
        for each in attempts:
            times, offsets = self.steps[each.node]
            during = slice(bisect.bisect_right(times, each.begin) - 1, bisect.bisect_right(times, each.t))
            found += [each.wish - self.wall - offset for offset in offsets[during]]
            found += [each.wish - self.wall - offset for begin, end, offset in self.database if begin <= each.t and each.begin <= end]
        return min(found) - before, max(found) + after
