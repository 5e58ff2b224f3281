"""What callers and operators read: counts, lists, statistics."""

import collections

from .connections import CERTAIN

STATES = ("delivered", "pending", "expired", "superseded", "cancelled", "withdrawn", "skipped_oversize", "rejected")
NEVER_FALL = ("targeted", "delivered", "skipped_oversize", "rejected", "opened", "applied", "failed")


class Counts:
    def __init__(self, case):
        self.case = case
        self.receipts = collections.defaultdict(lambda: (set(), set()))  # (task, event) to devices: possible, certain

    def on_read(self, event):
        task = self.case.tasks.by_id.get(event.task)
        if task is None:
            self.case.blame("list", event.t, f"nobody pushed {event.task}")
            return
        # What is read is told when it is written, or a crash could make the count fall.
        is_hindered = self.case.proofs.is_hindered(event.node, event.begin)
        proved = 0 if is_hindered else sum(1 for t, node in task.proofs or () if t <= self._told_from(event, node))
        self._judge_counts(event, task, event.status, event.counts, proved)
        self.case.proofs.forget(event.node, event.t)

    def _told_from(self, event, node):
        """What this node had read by then is in what it tells; another node's needs its time, and so does what goes by a shared store."""
        if node == event.node and not self.case.is_shared:
            return event.begin
        return min(event.begin, self.case.proofs.hindered_since(node, event.begin)) - self.case.tolerance.elsewhere

    def _judge_counts(self, event, task, status, counts, proved):
        total = sum(counts.get(state, 0) for state in STATES)
        if total != counts["targeted"]:
            self.case.blame("sum", event.t, f"{total} in all states, targeted {counts['targeted']}: {counts}", task)
        if not proved <= counts["delivered"] <= task.possible:
            text = f"delivered {counts['delivered']}; the server has read {proved} acknowledgements of {task.possible}"
            self.case.blame("counts", event.t, text, task)
        for end, old_status, old in task.reads:
            if end > event.begin:
                continue
            for name in NEVER_FALL:
                if counts.get(name, 0) < old.get(name, 0):
                    self.case.blame("falling", event.t, f"{name} was {old[name]} at {end:.3f} and is {counts.get(name, 0)}", task)
            if old_status != "active" and status != old_status and not (old_status == "expired" and status == "completed"):
                self.case.blame("status", event.t, f"was {old_status} at {end:.3f} and is {status}", task)
        task.reads.append((event.t, status, counts))

    def on_receipt(self, event):
        task = self.case.tasks.by_id.get(event.task)
        if task is None or event.outcome not in (0, None):
            return
        possible, certain = self.receipts[task, event.event]
        device = self.case.connections[event.conn].device
        who = device.token, device.holder(event.t)
        possible.add(who)
        if event.outcome == 0 and event.t < self.case.connections[event.conn].clouded:
            certain.add(who)

    def on_listing(self, event):
        seen = set()
        for task_id, key, status, counts in event.items:
            task = self.case.tasks.by_key.get(key)
            if task is None:
                self.case.blame("list", event.t, f"nobody pushed {task_id} ({key})")
                continue
            if task_id in seen:
                self.case.blame("list", event.t, f"{task_id} is listed twice", task)
            seen.add(task_id)
            if task.outcome == "refused":
                self.case.blame("refused", event.t, f"was refused, and is task {task_id}", task)
            elif task_id not in task.ids:
                self.case.blame("twice", event.t, f"is listed as {task_id}, and it is {task}", task)
            is_quiet = task.proved_at <= event.begin - self.case.tolerance.elsewhere  # nothing was acknowledged meanwhile
            self._judge_counts(event, task, status, counts, task.certain if is_quiet else 0)
            for name in ("opened", "applied", "failed"):
                possible, certain = self.receipts.get((task, name), ((), ()))
                if not len(certain) <= counts.get(name, 0) <= len(possible):
                    text = f"{name} {counts.get(name, 0)}; {len(certain)} devices were answered, {len(possible)} have told"
                    self.case.blame("counts", event.t, text, task)

    def on_recipients(self, event):
        task = self.case.tasks.by_id.get(event.task)
        if task is None or task.is_config or event.state != "delivered":
            return
        listed = set(event.devices)
        for device in self.case.devices.values():
            state = device.acked.get(task)
            if state is None and device.token in listed:
                self.case.blame("counts", event.t, "is listed as delivered, and was not acknowledged", task, device)
            elif state == CERTAIN and device.token not in listed:
                self.case.blame("counts", event.t, "is not listed as delivered, and its acknowledgement was read", task, device)

    def on_stats(self, event):
        listing = self.case.tasks.listing
        if not listing or self.case.acknowledged_at > listing.begin - self.case.tolerance.elsewhere:
            return  # counts move between the one reading and the other
        ours = [
            task
            for task in self.case.tasks.by_key.values()
            if task.app == event.app and task.tag == event.tag and task.position is not None
        ]
        if len(ours) != event.tasks:
            self.case.blame(
                "counts", event.t, f"statistics of {event.app}, tag {event.tag}: {event.tasks} tasks, and {len(ours)} are listed"
            )
        for name in STATES:
            total = sum(listing.items[task.position][3].get(name, 0) for task in ours)
            if event.counts.get(name, 0) != total:
                self.case.blame(
                    "counts",
                    event.t,
                    f"statistics of {event.app}, tag {event.tag}: {name} {event.counts.get(name, 0)}, tasks sum to {total}",
                )
