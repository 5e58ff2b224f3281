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
    "descriptors": ("node", 1.0, 10.0, "no descriptor is left"),
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
USUAL = ("kill", "restart", "stop", "full", "eio", "log", "cut", "deaf", "mute", "vanish", "twice", "away")
CLOCKS = (3600.0, 25 * 3600.0, 5 * 86400.0, 40 * 86400.0, -3600.0, -2 * 86400.0)


class Action(NamedTuple):
    start: float
    name: str
    where: int  # which node, cell or device
    lasts: float
    detail: dict


def plan(seed, seconds, faults, nodes, cells, devices):
    """All actions, by their beginning. Nothing begins in the last tenth, and nothing lasts beyond the end."""
    chance = random.Random(f"plan {seed}")
    actions = []
    scale = min(1.0, seconds / 120)
    places = {"node": nodes, "cell": cells, "device": devices}
    for scope, pause in (("node", max(1.0, 6 * scale)), ("cell", max(2.0, 8 * scale)), ("device", 0.6)):
        names = [name for name in faults if FAULTS[name][0] == scope]
        if not names or not places[scope]:
            continue
        t = pause
        order = []
        while t < seconds * 0.9:
            order = order or chance.sample(names, len(names))  # each in turn, so that a short run has them all
            name = order.pop()
            _, least, most, _ = FAULTS[name]
            lasts = chance.uniform(least, max(least, most * scale))
            lasts = min(lasts, seconds - t)
            where = chance.randrange(places[scope])
            actions.append(Action(round(t, 3), name, where, round(lasts, 3), detail(name, faults, chance)))
            t += chance.uniform(0.5, 1.5) * pause + (lasts if scope != "device" else 0)
    return sorted(actions)


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
