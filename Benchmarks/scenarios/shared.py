"""Nodes that share a PostgreSQL: what a push, an acknowledgement and a reconnect cost the database, and how long things take."""

import contextlib
import subprocess
import time

from kit.load import Swarm, finish, push, start_push, wrk
from kit.nodes import Cost, Database, Node
from kit.rows import Row
from kit.servers import APP, SECRET

NODES = 3
#: While one call is on its way the next pushes gather: of so many callers about 64 do.
CALLERS = 168
#: So many on each node leave nothing idle.
SATURATING = 256


@contextlib.contextmanager
def cluster(place, devices):
    """Three nodes over a primary and a synchronous standby, with so many devices."""
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(Database(place))
        nodes = [stack.enter_context(Node(place, database, f"node-{number + 1}")) for number in range(NODES)]
        nodes[0].make_app()
        nodes[0].make_devices(range(devices))
        database.sql("VACUUM ANALYZE")
        yield database, nodes


def shared(place):
    """Three nodes over PostgreSQL with a synchronous standby, all on this machine."""
    size = place.size
    samples = {}
    with cluster(place, size.offline) as (database, nodes):
        for _ in range(size.runs):
            for key, value in (*_pushes(place, database, nodes), *_latency(place, nodes), *_storm(place, database, nodes[1]),
                               *_acknowledged(place, database, nodes), *_groupcasts(place, database, nodes)):
                samples.setdefault(key, []).append(value)
        moved = _takeover(place, nodes)
    rows = [_row(key, samples[key], *LIMITS[key]) for key in LIMITS]
    pushed = next(row for row in rows if row.key == "shared-push")
    pushed.value, pushed.reference = pushed.measure, _middle(samples["insert"])
    pushed.note = f"batches of {_middle(samples['batch']):.0f}"
    return rows + [_row("shared-takeover", [moved], *TAKEOVER)]


def _middle(samples):
    return sorted(samples)[len(samples) // 2]


#: scenario, yardstick, unit, must, aim. Redis' figures are those of docs/cluster.md: 69 to 85 µs a push.
LIMITS = {
    "shared-push": ("durable push, batches of about 64 on one node: CPU of primary and standby",
                    "pgbench: a row by an INSERT of its own, on the same servers", "µs", 90, 60),
    "shared-rate": ("pushes a second, three nodes saturated (a push takes)", "8,000/s is 125 µs", "µs", 125, 66.7),
    "shared-reply": ("1,000 pushes/s over three nodes, p50 of the reply", "", "ms", 12, 6),
    "shared-reach": ("the same, a push on one node until it is at another's device, p50 beyond the reply", "", "ms", 4, 1),
    "shared-storm": ("a device comes back that has missed nothing, in a storm: CPU of primary and standby", "", "µs", 60, 30),
    "shared-unicast": ("an acknowledged delivery of a unicast: CPU of the primary", "", "µs", 20, 8),
    "shared-groupcast-ack": ("an acknowledged delivery of a groupcast: CPU of the primary", "", "µs", 3, 1),
    "shared-groupcast": ("a groupcast to all devices, CPU of the primary", "a groupcast to 100 devices", "x", 1.5, 1.1),
}
TAKEOVER = ("a node is killed: until its devices are served by another", "", "s", 10, 6)


def _row(key, samples, scenario, yardstick, unit, must, aim):
    middle = _middle(samples)
    note = f"{1e6 / middle:,.0f} pushes/s" if key == "shared-rate" else ""
    return Row(key, scenario, yardstick, middle, unit, must, aim, samples=samples, note=note)


def _pushes(place, database, nodes):
    size = place.size
    devices = ("--devices", place.tokens(size.offline))
    before = nodes[0].batches()
    with Cost(database.cpu) as used:
        report = wrk(place, nodes[0], size.seconds, *devices, connections=CALLERS)
    yield "shared-push", used.per(report["requests"])
    calls, commits = (now - then for now, then in zip(nodes[0].batches(), before))
    yield "batch", calls / commits
    yield "insert", database.insert_cost(size.seconds)
    calls = [_start_wrk(place, node, size.seconds, *devices) for node in nodes]
    reports = [_finish_wrk(call) for call in calls]
    yield "shared-rate", 1e6 / sum(report["requests"] / report["microseconds"] * 1e6 for report in reports)


def _start_wrk(place, node, seconds, *options):
    return subprocess.Popen(
        ["wrk", "-t1", f"-c{SATURATING}", f"-d{seconds}s", "--timeout", "30s", "-s", str(place.root / "deploy/wrk/push.lua"), f"http://{node.http}", "--",
         "--app", APP, "--secret", SECRET, *map(str, options)], stdout=subprocess.PIPE, text=True)


def _finish_wrk(call):
    import json
    told, _ = call.communicate(timeout=300)
    report = json.loads(told.strip().rsplit("\n", 1)[-1])
    if report["refused"] or report["failed"]:
        raise RuntimeError(f"wrk: {report}")
    return report


def _latency(place, nodes):
    size = place.size
    online = min(size.online, 3_000)
    with Swarm(place, nodes[1].mqtt, online) as swarm:
        swarm.connect()
        _drain(swarm)
        swarm("reset")
        rate = 1_000 / NODES if not size.quick else 10
        running = [start_push(place, node, "--rate", rate, "--duration", 2 * size.seconds, "--targets", online) for node in nodes]
        reports = [finish(call) for call in running]
        swarm.total(sum(report["accepted"] for report in reports))
        device = swarm("report")["latency"]["p50"] / 1000
    reply = sorted(report["latency"]["p50"] for report in reports)[NODES // 2] / 1000
    yield "shared-reply", reply
    yield "shared-reach", device - reply


def _storm(place, database, node):
    count = place.size.online
    with Swarm(place, node.mqtt, count) as swarm:
        swarm.connect()
        _drain(swarm)
        swarm("disconnect")
        time.sleep(1)
        with Cost(database.cpu) as used:
            swarm.connect()
            swarm("disconnect")
            time.sleep(1)
        yield "shared-storm", used.per(count)


def _drain(swarm):
    """Returns when a second has passed in which nothing came any more."""
    before = None
    while (received := swarm("report")["tally"]["received"]) != before:
        before = received
        time.sleep(1)


def _acknowledged(place, database, nodes):
    size = place.size
    with Swarm(place, nodes[0].mqtt, size.online) as swarm:
        swarm.connect()
        _drain(swarm)
        swarm("reset")
        # Apart from the pushes, whose cost a call depends on how many gather: a difference of two runs tells that.
        swarm("hold")
        # So many that a few devices are sent all of them: who acknowledges nothing is sent no more than a window of messages.
        rate = ("--rate", size.online) if size.quick else ()
        report = push(place, nodes[0], "--duration", size.seconds, "--targets", size.online, *rate)
        swarm.total(report["accepted"])
        time.sleep(1)
        with Cost(database.primary_cpu) as acknowledged:
            swarm("release")
            time.sleep(2)
        yield "shared-unicast", acknowledged.per(report["accepted"])
        swarm("reset")
        rounds = 3 if size.quick else size.rounds
        with Cost(database.primary_cpu) as groups:
            for number in range(rounds):
                nodes[0].groupcast(number + 1)
            swarm.each(rounds)
            time.sleep(1)
        yield "shared-groupcast-ack", groups.per(rounds * size.online)


def _groupcasts(place, database, nodes):
    rounds = 30 if place.size.quick else 500
    nodes[0].make_devices(range(100), org="few", name="few", secrets="few")
    costs = []
    for org in ("few", "all"):
        with Cost(database.primary_cpu) as used:
            for number in range(rounds):
                nodes[0].groupcast(number + 1, org)
        costs.append(used.per(rounds))
    yield "shared-groupcast", costs[1] / max(costs[0], 1)


def _takeover(place, nodes):
    """Seconds from the end of a node to the moment at which all its devices are connected to another."""
    count = min(place.size.online, 5_000)
    with Swarm(place, nodes[2].mqtt, count) as swarm:
        swarm.connect()
        began = time.monotonic()
        nodes[2].kill()
        with Swarm(place, nodes[1].mqtt, count, 0) as other:
            # Refused while the dead node's lease runs: they come again, as devices do.
            while True:
                other("connect")
                tally = other("wait connected 1")["tally"]
                if tally["ready"] >= count:
                    return time.monotonic() - began
                if time.monotonic() - began > 60:
                    raise RuntimeError(f"not taken over: {tally}")
