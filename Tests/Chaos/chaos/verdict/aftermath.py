"""What can be judged only when all is over."""

import collections

from .. import history as events
from .presence import Presence
from .tasks import IPHONE_LIMIT, NEVER


class Aftermath:
    def __init__(self, case):
        self.case = case

    def judge(self):
        self._judge_calls()
        if self.case.tasks.listing:
            self._judge_listing()
            if self.case.healed_at is not None:
                self._judge_delivery()
        self._judge_lifetimes()

    def _judge_calls(self):
        numbers = collections.defaultdict(set)
        for task in self.case.tasks.by_key.values():
            if len(task.ids) > 1:
                if task.outcome == "success":
                    self.case.blame("twice", task.end, f"its attempts were answered with different tasks: {task}", task)
            if task.biz is not None:
                numbers[task.app, task.biz].add(task)
        for (app, biz), tasks in numbers.items():
            ids = {each for task in tasks for each in task.ids}
            if len(ids) > 1 and len(tasks) > 1:
                last = max(tasks, key=lambda task: task.begin)
                self.case.blame("out_biz_no", last.begin, f"{app}'s {biz} is {len(ids)} tasks: {sorted(ids)}", last)

    def _judge_listing(self):
        listing, latest = self.case.tasks.listing, None
        for task in self.case.tasks.by_key.values():
            if task.outcome == "success" and task.position is None:
                self.case.blame("lost", listing.t, "was answered SUCCESS, and is not listed", task)
        placed = sorted(
            (task for task in self.case.tasks.by_key.values() if task.position is not None), key=lambda task: task.position
        )
        version = (0, None)
        for task in placed:
            if latest is not None and task.outcome == "success" and task.end < latest.begin:
                self.case.blame(
                    "order",
                    listing.t,
                    f"was answered at {task.end:.3f}, and stands after {latest}, pushed at {latest.begin:.3f}",
                    task,
                )
            if latest is None or task.begin > latest.begin:
                latest = task
            if task.version is not None:
                if task.version <= version[0]:
                    self.case.blame(
                        "version", listing.t, f"has version {task.version}, {version[1]} before it has {version[0]}", task
                    )
                version = task.version, task
            if task.outcome != "refused":
                self._judge_targeted(listing, task)
        self._judge_nodes()

    def _judge_targeted(self, listing, task):
        targeted = listing.items[task.position][3]["targeted"]
        if task.is_config:
            least, most = len(task.must) + len(task.oversize), NEVER
        else:
            must, may = self.case.directory.members(task.begin, task.end, task.kind, task.name, task.test)
            least, most = len(must), len(may)
        if not least <= targeted <= most:
            self.case.blame("targeted", listing.t, f"targeted {targeted}; the target had {least} to {most} devices", task)
        skipped = listing.items[task.position][3].get("skipped_oversize", 0)
        if skipped < len(task.oversize) and not task.is_config:
            self.case.blame(
                "counts", listing.t, f"skipped_oversize {skipped}; {len(task.oversize)} iOS devices were in the target", task
            )

    def _judge_nodes(self):
        """Every node's last list is the same, but for what expires between the one and the other."""
        last = {event.node: event for event in self.case.history if type(event) is events.Listing}
        first, *others = last.values()
        for other in others:
            if [item[:1] for item in other.items] != [item[:1] for item in first.items]:
                self.case.blame("list", other.t, f"{other.node} lists other tasks, or another order, than {first.node}")
            for ours, theirs in zip(first.items, other.items):
                task = self.case.tasks.by_key.get(ours[1])
                expires = task and task.expires_from <= other.t and task.expires_to >= first.begin - self.case.tolerance.elsewhere
                if ours[2:] != theirs[2:] and not expires:
                    self.case.blame("list", other.t, f"{first.node} says {ours[2:]}, {other.node} {theirs[2:]}", task)

    def _judge_delivery(self):
        for task in self.case.tasks.by_key.values():
            if task.position is None:
                continue
            over = task.over_from < self.case.healed_at
            counts = self.case.tasks.listing.items[task.position][3]
            if counts["pending"] and not over:
                self.case.blame("pending", self.case.healed_at, f"{counts['pending']} devices are pending", task)
            if not task.is_config and not over:
                for token in task.must:
                    device = self.case.device(token)
                    if task not in device.acked and not device.may_have_lost(task, NEVER):
                        self.case.blame("lost", self.case.healed_at, self._where(task), task, device)
        for task in self.case.tasks.current():
            if task.over_from > self.case.healed_at:
                self._judge_current(task)

    def _where(self, task):
        return f"pushed to {task.kind} {task.name} at {task.begin:.3f}, has not been acknowledged"

    def _judge_current(self, task):
        """Whoever is in the target now has acknowledged it since joining."""
        for token in self.case.directory.states[-1].members(task.kind, task.name, task.test):
            if task.size > IPHONE_LIMIT and self.case.directory.is_iphone(token) is not False:
                continue
            if any(end == NEVER for end in self.case.directory.ends):
                continue
            device = self.case.device(token)
            joined = self.case.directory.joining(token, task.kind, task.name, task.test)
            applied = device.applied.get(task)
            if applied is None:
                self.case.blame("lost", self.case.healed_at, self._where(task), task, device)
            elif joined is not None and joined > task.end and applied < joined and device.settled.get(task, NEVER) < joined:
                self.case.blame(
                    "joining", self.case.healed_at, f"joined at {joined:.3f}, and got it last at {applied:.3f}", task, device
                )

    def _judge_lifetimes(self):
        """What has expired although its device was there all the time, and nothing was amiss."""
        suspects = [(task, token) for task in self.case.tasks.by_key.values() for token in self._missing(task)]
        if not suspects:
            return
        presence = Presence(self.case.history, {token for _, token in suspects}, self.case.tolerance.recovery)
        there = self.case.tolerance.there
        for task, token in suspects:
            begin, end = task.begin - there, task.expires_from
            if end <= task.begin:
                continue  # the clock by which it expires was ahead for a while: it may have had no time at all
            if presence.is_there(token, begin, end) and not presence.is_busy(token, end - there, end):
                text = f"pushed at {task.begin:.3f}, expired at {end:.3f}; the device was there, without a fault, and got nothing else"
                self.case.blame("late", end, text, task, self.case.device(token))

    def _missing(self, task):
        """The devices that did not get a message within its lifetime, whatever the reason."""
        if task.is_config or task.outcome != "success" or task.expires_from == NEVER or task.cancelled_from < NEVER:
            return []
        devices = [self.case.device(token) for token in task.must]
        return [device.token for device in devices if task not in device.acked and not device.may_have_lost(task, NEVER)]
