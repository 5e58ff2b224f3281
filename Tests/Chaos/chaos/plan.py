"""What goes wrong, and when: made of the seed alone, so that the same seed is the same plan."""

import random
from typing import NamedTuple

# What each fault is, whom it hits, and its shortest and longest time in seconds; a short run shortens them.
FAULTS = {
    "kill": ("node", 0.0, 2.0, "SIGKILL, and a start some time later"),
    "restart": ("node", 0.0, 1.0, "SIGTERM, and a start some time later"),
    "stop": ("node", 1.0, 30.0, "SIGSTOP, and SIGCONT some time later"),
    "full": ("node", 1.0, 8.0, "a full disk"),
    "eio": ("node", 0.5, 3.0, "errors on write or sync, then a SIGKILL and a start"),
    "lock": ("node", 1.0, 10.0, "another program holds the store's write lock"),
    "clock": ("node", 0.5, 8.0, "the wall clock stands ahead or back, sometimes at a start"),
    "descriptors": ("node", 1.0, 30.0, "no descriptor is left"),
    "log": ("node", 3.0, 20.0, "nobody reads the log"),
    "cut": ("cell", 1.0, 20.0, "a network is cut, one way or both"),
    "deaf": ("device", 1.0, 15.0, "a device does not read"),
    "mute": ("device", 1.0, 10.0, "a device acknowledges nothing, then everything or nothing"),
    "skip": ("device", 0.0, 0.0, "a device never acknowledges one message, and stays"),
    "vanish": ("device", 0.0, 0.0, "a device is gone without FIN"),
    "twice": ("device", 0.0, 0.0, "a device connects again while it is connected"),
    "away": ("device", 1.0, 15.0, "a device is offline"),
}
# What `make test` runs; all others can be named.
USUAL = (
    "kill", "restart", "stop", "full", "eio", "lock", "clock", "descriptors", "log", "cut", "deaf", "mute", "skip", "vanish", "twice",
    "away")
CLOCKS = (3600.0, 25 * 3600.0, 5 * 86400.0, 40 * 86400.0, -3600.0, -2 * 86400.0)


class Action(NamedTuple):
    start: float
    name: str
    where: int  # which node, cell or device
    lasts: float
    detail: dict


def plan(seed, seconds, faults, nodes, cells, devices):
    """All actions, by their beginning. Nothing begins in the last tenth, and nothing lasts beyond the end."""
    scale = min(1.0, seconds / 120)
    actions = []
    for scope, places, pause in (("node", nodes, 6 * scale), ("cell", cells, 8 * scale), ("device", devices, 0.6)):
        names = [name for name in faults if FAULTS[name][0] == scope]
        if names and places:
            actions += sequence(random.Random(f"{scope} {seed}"), seconds, names, faults, places, pause, scale)
    return sorted(actions)


def sequence(chance, seconds, names, faults, places, pause, scale):
    """One after the other, each of the names in turn, so that a short run has them all. What devices do overlaps."""
    overlaps = FAULTS[names[0]][0] == "device"
    longest = seconds if overlaps else max(0.0, 0.9 * seconds / len(names) - 1.5 * pause)
    t, order = pause, []
    while t < seconds * 0.9:
        order = order or chance.sample(names, len(names))
        name = order.pop()
        _, least, most, _ = FAULTS[name]
        lasts = min(chance.uniform(least, max(least, most * scale)), longest, seconds - t)
        yield Action(round(t, 3), name, chance.randrange(places), round(lasts, 3), detail(name, faults, chance))
        t += chance.uniform(0.5, 1.5) * pause + (0.0 if overlaps else lasts)


def detail(name, faults, chance):
    if name == "clock":
        return {"offset": chance.choice(CLOCKS), "boot": chance.random() < 0.25}
    if name == "eio":
        return {"how": chance.choice(("write", "sync"))}
    if name == "cut":
        return {"way": chance.choice(("both", "in", "out"))}
    if name == "mute":
        return {"then": chance.choice(("acknowledge", "drop"))}
    if name in ("stop", "full", "lock", "log", "descriptors") and "kill" in faults and chance.random() < 0.2:
        return {"kill": True}
    return {}
