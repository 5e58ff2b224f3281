"""What a person reads: a line now and then, and a summary."""

import collections
import itertools
import sys

from . import history as events
from .plan import DATABASES, FAULTS
from .verdict import RULES

EVIDENCE = 25  # events a violation


def progress(recorder, seconds, nodes, file=sys.stderr):
    counts = recorder.counts
    up = " ".join(f"{node.name} {'up' if node.is_up.is_set() else 'down'}" for node in nodes)
    done = f"{counts['push']} calls to push, {counts['frame']} frames, {counts['change']} changes"
    text = f"chaos {recorder.now():5.0f}/{seconds:.0f} s  {done}, {up}"
    print(f"\r{text}\033[K" if file.isatty() else text, end="" if file.isatty() else "\n", file=file, flush=True)


def summary(history, seconds, faults):
    """Rows of (name, number, more)."""
    counts = collections.Counter(type(event).__name__.lower() for event in history)
    outcomes = collections.Counter(
        "SUCCESS" if event.outcome == 0 else event.outcome or "no answer" for event in history if type(event) is events.Push
    )
    closed = collections.Counter(event.by for event in history if type(event) is events.Closed)
    down = downtime(history)
    rows = [(f"fault: {name}", number, "") for name, number in sorted(faults.items())]
    rows += [
        ("pushes", counts["push"], ", ".join(f"{name} {number}" for name, number in outcomes.most_common())),
        ("cancels, reads of a task", f"{counts['cancel']}, {counts['read']}", ""),
        ("changes of the directory", counts["change"], ""),
        ("connections", counts["connect"], f"ended by the server {closed['server']}, by the device {closed['device']}"),
        ("frames", counts["frame"], f"{counts['frame'] / seconds:.0f} a second"),
        ("acknowledgements", counts["ack"], ""),
        ("receipts", counts["receipt"], ""),
        ("a node was down", f"{down:.1f} s", ""),
    ]
    for name, seconds in sorted(pauses(history).items()):
        rows.append((f"no SUCCESS: {name}", f"{max(seconds):.1f} s", "each time " + ", ".join(f"{each:.1f}" for each in seconds)))
    return rows


def pauses(history):
    """For each fault of the database the longest time in it without a SUCCESS, as callers see it."""
    answered = [event.t for event in history if type(event) is events.Push and event.outcome == 0]
    found, begun = collections.defaultdict(list), {}
    for event in history:
        if type(event) is not events.Fault or event.name not in FAULTS or FAULTS[event.name].scope not in DATABASES:
            continue
        if event.edge == "begin":
            begun[event.name] = event
        elif begin := begun.pop(event.name, None):
            times = [begin.t, *(t for t in answered if begin.t < t < event.t), event.t]
            name = " ".join([event.name, *map(str, begin.detail.values())])
            found[name].append(max(later - earlier for earlier, later in itertools.pairwise(times)))
    return found


def downtime(history):
    since, total = {}, 0.0
    for event in history:
        if type(event) is events.Node:
            if event.state == "up":
                total += event.t - since.pop(event.node, event.t)
            else:
                since.setdefault(event.node, event.t)
    return total


def table(rows):
    width = max(len(name) for name, _, _ in rows)
    numbers = max(len(str(number)) for _, number, _ in rows)
    return "\n".join(f"  {name:{width}}  {number!s:>{numbers}}  {more}".rstrip() for name, number, more in rows)


def explain(history, violations, most=10):
    """Each violation of a kind with what led to it; of many alike the first few."""
    by_rule = collections.defaultdict(list)
    for violation in violations:
        by_rule[violation.rule].append(violation)
    lines = []
    for rule, found in by_rule.items():
        lines.append(f"{rule}: {RULES[rule]}: broken {len(found)} times")
        for violation in found[:most]:
            lines.append(f"  {violation}")
        lines += [f"    {line}" for line in evidence(history, found[0])]
    return lines


def evidence(history, violation):
    """The events that concern a violation's push and device, and the faults and starts around them."""
    task_ids = {event.task for event in history if type(event) is events.Push and event.key == violation.task and event.task}
    conns = {event.conn for event in history if type(event) is events.Connect and event.device == violation.device}
    begin = min(
        (event.begin for event in history if type(event) is events.Push and event.key == violation.task), default=violation.t - 5
    )
    packets = {}
    found = []
    for event in history:
        kind = type(event)
        if kind is events.Push:
            concerns = event.key == violation.task
        elif kind in (events.Cancel, events.Read, events.Receipt):
            concerns = event.task in task_ids and (kind is not events.Receipt or not conns or event.conn in conns)
        elif kind is events.Frame:
            concerns = event.key == violation.task and (not violation.device or event.conn in conns)
            packets[event.conn, event.packet] = event.key
        elif kind is events.Ack:
            concerns = packets.get((event.conn, event.packet)) == violation.task and (not violation.device or event.conn in conns)
        elif kind in (events.Connect, events.Connack, events.Bye, events.Closed, events.Arrived):
            concerns = event.conn in conns and event.t >= begin - 2
        elif kind is events.Change:
            concerns = event.name == violation.device and event.t >= begin - 2
        elif kind in (events.Node, events.Fault):
            concerns = event.t >= begin - 2 and getattr(event, "device", None) in (None, violation.device)
        else:
            concerns = False
        if concerns and event.t <= violation.t + 1:
            found.append(event)
    if len(found) > EVIDENCE:
        left_out = len(found) - EVIDENCE
        found = [*found[: EVIDENCE // 2], f"… {left_out} more …", *found[-(EVIDENCE - EVIDENCE // 2) :]]
    return [each if isinstance(each, str) else line(each) for each in found]


def line(event):
    fields = ", ".join(
        f"{name} {round(value, 3) if isinstance(value, float) else value}"
        for name, value in event._asdict().items()
        if name != "t" and value not in (None, "", {}, 0)
    )
    return f"{event.t:9.3f} {type(event).__name__}: {fields}"
