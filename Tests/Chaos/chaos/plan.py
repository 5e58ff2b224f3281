"""What goes wrong, and when: made of the seed alone, so that the same seed is the same plan."""

import random
from typing import NamedTuple


class Kind(NamedTuple):
    """What a fault is, whom it hits, and its shortest and longest time in seconds; a short run shortens them."""

    scope: str
    least: float
    most: float
    text: str


FAULTS = {
    "kill": Kind("node", 0.0, 2.0, "SIGKILL, and a start some time later"),
    "restart": Kind("node", 0.0, 1.0, "SIGTERM, and a start some time later"),
    "stop": Kind("node", 1.0, 30.0, "SIGSTOP, and SIGCONT some time later"),
    "full": Kind("node", 1.0, 8.0, "a full disk"),
    "eio": Kind("node", 0.5, 3.0, "errors on write or sync, then a SIGKILL and a start"),
    "lock": Kind("node", 1.0, 10.0, "another program holds the store's write lock"),
    "clock": Kind("node", 0.5, 8.0, "the wall clock stands ahead or back, sometimes at a start"),
    "descriptors": Kind("node", 1.0, 30.0, "no descriptor is left"),
    "log": Kind("node", 3.0, 20.0, "nobody reads the log"),
    "failover": Kind("database", 0.0, 3.0, "SIGKILL of the primary; the standby is promoted, and a new one made"),
    "split": Kind("database", 2.0, 20.0, "the primary stops, the standby is promoted, and the old primary goes on for a while"),
    "crash": Kind("database", 0.0, 2.0, "SIGKILL of the primary, and a start some time later"),
    "freeze": Kind("database", 1.0, 60.0, "SIGSTOP of the primary, and SIGCONT some time later"),
    "standby": Kind("database", 0.0, 8.0, "SIGKILL of the standby, and a start some time later"),
    "lag": Kind("database", 1.0, 60.0, "SIGSTOP of the standby's receiver, and SIGCONT some time later"),
    "cancel": Kind("database", 0.5, 3.0, "calls are cancelled while they wait for the standby"),
    "terminate": Kind("database", 0.5, 3.0, "their back ends are ended while they wait for the standby"),
    "dbfull": Kind("database", 1.0, 8.0, "the primary's disk is full"),
    "dbclock": Kind("database", 1.0, 10.0, "the database's wall clock stands an hour ahead or back"),
    "pgkill": Kind("patroni", 0.0, 0.0, "SIGKILL of the primary's PostgreSQL; its Patroni lives"),
    "power": Kind("patroni", 20.0, 60.0, "SIGKILL of all on the primary's machine, and a start some time later"),
    "pause": Kind("patroni", 20.0, 60.0, "SIGSTOP of the primary's PostgreSQL or machine, and SIGCONT some time later"),
    "isolate": Kind("patroni", 20.0, 60.0, "the primary's machine is cut off from the other two or from all, one way or both"),
    "follower": Kind("patroni", 20.0, 60.0, "the synchronous standby's machine loses power or is cut off for a while"),
    "switchover": Kind("patroni", 0.0, 0.0, "Patroni is told to change the primary"),
    "edge": Kind("edge", 1.0, 20.0, "a node and the database, the two databases, or the balancer and a node are cut, one way or both"),
    "cut": Kind("cell", 1.0, 20.0, "a network is cut, one way or both"),
    "deaf": Kind("device", 1.0, 15.0, "a device does not read"),
    "mute": Kind("device", 1.0, 10.0, "a device acknowledges nothing, then everything or nothing"),
    "skip": Kind("device", 0.0, 0.0, "a device never acknowledges one message, and stays"),
    "vanish": Kind("device", 0.0, 0.0, "a device is gone without FIN"),
    "twice": Kind("device", 0.0, 0.0, "a device connects again while it is connected"),
    "away": Kind("device", 1.0, 15.0, "a device is offline"),
}
# Of a store that a node has for itself, and of one that nodes share.
EMBEDDED = ("full", "eio", "lock", "clock")
# Of a store that nodes share: who decides there which database is the primary, this program or Patroni.
DATABASES = ("database", "patroni")


def usual(nodes, patroni=False):
    """What is run where nothing is named: everything that there is to be broken."""
    left_out = ("database" if patroni else "patroni",) if nodes > 1 else (*DATABASES, "edge")
    return tuple(name for name, kind in FAULTS.items() if kind.scope not in left_out and (nodes == 1 or name not in EMBEDDED))


CLOCKS = (3600.0, 25 * 3600.0, 5 * 86400.0, 40 * 86400.0, -3600.0, -2 * 86400.0)
# Seconds between two faults of one scope, before a short run shortens them.
PAUSES = {"node": 6.0, "database": 6.0, "patroni": 30.0, "edge": 8.0, "cell": 8.0, "device": 0.6}


class Action(NamedTuple):
    start: float
    name: str
    where: int  # which of its scope
    lasts: float
    detail: dict


def plan(seed, seconds, faults, places):
    """All actions, by their beginning. Nothing begins in the last tenth, and nothing lasts beyond the end. `places` is how many there
    are of each scope."""
    scale = min(1.0, seconds / 120)
    actions = []
    for scope, pause in PAUSES.items():
        names = [name for name in faults if FAULTS[name].scope == scope]
        if names and places.get(scope):
            pause = pause if scope == "device" else pause * scale
            actions += sequence(random.Random(f"{scope} {seed}"), seconds, names, faults, places[scope], pause, scale)
    return sorted(actions)


def sequence(chance, seconds, names, faults, places, pause, scale):
    """One after the other, each of the names in turn, so that a short run has them all. What devices do overlaps."""
    overlaps = FAULTS[names[0]].scope == "device"
    longest = seconds if overlaps else max(0.0, 0.9 * seconds / len(names) - 1.5 * pause)
    t, order = pause, []
    while t < seconds * 0.9:
        order = order or chance.sample(names, len(names))
        name = order.pop()
        least, most = FAULTS[name].least, FAULTS[name].most
        lasts = min(chance.uniform(least, max(least, most * scale)), longest, seconds - t)
        yield Action(round(t, 3), name, chance.randrange(places), round(lasts, 3), detail(name, faults, chance))
        t += chance.uniform(0.5, 1.5) * pause + (0.0 if overlaps else lasts)


def detail(name, faults, chance):
    if name == "clock":
        return {"offset": chance.choice(CLOCKS), "boot": chance.random() < 0.25}
    if name == "eio":
        return {"how": chance.choice(("write", "sync"))}
    if name in ("cut", "edge"):
        return {"way": chance.choice(("both", "in", "out"))}
    if name == "isolate":
        return {"way": chance.choice(("both", "in", "out")), "from": chance.choice(("members", "everybody"))}
    if name == "follower":
        return {"how": chance.choice(("power", "cut"))}
    if name == "pause":
        return {"what": chance.choice(("postgres", "machine"))}
    if name == "mute":
        return {"then": chance.choice(("acknowledge", "drop"))}
    if name == "dbclock":
        return {"offset": chance.choice((3600.0, -3600.0))}
    if name in ("stop", "full", "lock", "log", "descriptors") and "kill" in faults and chance.random() < 0.2:
        return {"kill": True}
    return {}
