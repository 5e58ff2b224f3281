"""One message to many devices."""

import statistics

from kit.load import Swarm, finish, publish, push, start_push, wrk
from kit.process import CPU
from kit.rows import Row, ratio
from kit.servers import FanoutFloor, Mosquitto, Nats, Pspd
from scenarios.rest import share, share_row

#: PUBLISH of the topic psp/push/msg: fixed header, topic and packet identifier.
OVERHEAD = 3 + 2 + len("psp/push/msg") + 2


def fanout(place):
    """CPU per acknowledged delivery, against C and against brokers."""
    size = place.size
    direct, buffered, brokers, nats, swarms = [], [], [], [], []
    for _ in range(size.runs):
        cost, payload, _, swarm = ours(place, 1)
        swarms.append((swarm, cost))
        direct.append((cost, _floor(place, "direct", payload)))
        buffered.append((cost, _floor(place, "buffered", payload)))
        if Mosquitto.installed():
            brokers.append((cost, _broker(place, Mosquitto, 1, payload)))
        if Nats.installed():
            nats.append((cost, _broker(place, Nats, 0, payload)))
    faster = direct if statistics.median(b for _, b in direct) <= statistics.median(b for _, b in buffered) else buffered
    what = f"groupcast to {size.online:,} devices, QoS 1, receipts stored, CPU a delivery"
    rows = [
        ratio("fanout", what, "the faster fan-out in C, acknowledgements read back", faster, 1.6, 1.2, note=f"PUBLISH payload of {payload} bytes")
    ]
    if brokers:
        rows.append(ratio("fanout-mosquitto", what, "mosquitto QoS 1", brokers, 0.5, 0.333))
    if nats:
        rows.append(ratio("fanout-nats", what, "nats-server over MQTT, QoS 0: nothing is acknowledged", nats))
    rows.append(ratio("fanout-swarm", "what the swarm itself takes for a delivery", "pspd", swarms, 1.0))
    return rows


def ours(place, loops):
    """CPU a delivery, how large a delivery's payload is, the larger loop's share, and what the swarm itself takes for a delivery."""
    size = place.size
    with Pspd(place, loops=loops) as server:
        server.make_app()
        server.make_devices(range(size.online))
        with Swarm(place, server.mqtt, size.online) as swarm:
            swarm.connect()
            server.groupcast(1)
            swarm.each(1)
            server.settle()
            swarm("reset")
            before = server.cpu_by_thread()
            with CPU(server) as used, CPU(swarm) as spent:
                for number in range(1, size.rounds + 1):
                    task = server.groupcast(number + 1)
                    report = swarm.each(number)
            counts = server.counts(task)
            if counts["delivered"] != size.online or report["tally"]["repeated"] or report["tally"]["missing"]:
                raise RuntimeError(f"not everything was delivered once: {counts} {report['tally']}")
            payload = report["tally"]["bytes"] // report["tally"]["received"] - OVERHEAD
            deliveries = size.rounds * size.online
            return used.per(deliveries), payload, share(before, server.cpu_by_thread()), spent.per(deliveries)


def _floor(place, mode, payload):
    size = place.size
    with FanoutFloor(place, mode) as floor, Swarm(place, floor.mqtt, size.online) as swarm:
        swarm.connect()
        floor.settle()
        with CPU(floor) as used:
            floor.fanout(payload, size.rounds)
        return used.per(size.rounds * size.online)


def _broker(place, peer, qos, payload):
    size = place.size
    flags = ("--user", "none", "--password", "none", "--subscribe", "psp/push/msg", "--qos", qos)
    with peer(place) as broker, Swarm(place, broker.mqtt, size.online, 0, *flags) as swarm:
        swarm.connect()
        broker.settle()
        with CPU(broker) as used:
            for number in range(1, size.rounds + 1):
                publish(place, broker, "psp/push/msg", "--count", 1, "--connections", 1, "--size", payload, "--sequence", number)
                swarm.each(number)
        return used.per(size.rounds * size.online)


def two_loops(place):
    """What the second loop costs, and whether the work is shared."""
    one, two, shares = [], [], []
    for _ in range(place.size.runs):
        one.append(ours(place, 1)[0])
        cost, _, larger, _ = ours(place, 2)
        two.append(cost)
        shares.append(larger)
    return [
        ratio("loops-groupcast", f"two loops, groupcast to {place.size.online:,}, CPU a delivery", "one loop", list(zip(two, one)), 1.15, 1.05),
        share_row("loops-groupcast-share", "two loops, groupcast: how far each loop's share is from a half", shares),
    ]


def beside(place):
    """A push to an idle device while groupcasts to many run."""
    size = place.size
    added = []
    with Pspd(place) as server:
        server.make_app()
        server.make_devices(range(size.crowd))
        server.make_devices(range(size.idle), "idle", "idle")
        flags = ("--user", "idle-{}", "--client-id", "idle-{}")
        with Swarm(place, server.mqtt, size.crowd) as crowd, Swarm(place, server.mqtt, size.idle, 0, *flags) as idle:
            crowd.connect()
            idle.connect()
            pushes = ("--token", "idle-{}", "--targets", size.idle, "--rate", 50, "--duration", 4 * size.seconds, "--connections", 8)
            number = 0
            alone_all, beside_all = [], []
            for _ in range(size.runs):
                alone = _p99(idle, lambda: push(place, server, *pushes))
                crowd("reset")
                running, first = start_push(place, server, *pushes), number
                idle("reset")
                while running.poll() is None:
                    number += 1
                    server.groupcast(number)
                    crowd.each(number - first)
                finish(running)
                together = idle("report")["latency"]["p99"] / 1000
                added.append(together - alone)
                alone_all.append(alone)
                beside_all.append(together)
    return [
        Row("beside", f"push to an idle device beside groupcasts to {size.crowd:,}, p99 from call to device", "p99 without them",
            statistics.median(added), "ms more", 10, 3, statistics.median(beside_all), statistics.median(alone_all), "ms", added)
    ]


def _p99(swarm, send):
    swarm("reset")
    report = send()
    swarm.total(report["accepted"])
    return swarm("report")["latency"]["p99"] / 1000


def store(place):
    """What a groupcast costs in the store, by the number of offline devices that it is for."""
    size = place.size
    costs = {count: [] for count in size.store}
    seconds = max(1, size.seconds // len(size.store))
    with Pspd(place) as server:
        server.make_app()
        for count in size.store:
            server.make_devices(range(count), f"org{count}", f"d{count}")
        for _ in range(size.runs):
            # In turns, a second each: what the machine and the growing log do to one they do to all.
            used = {count: [0, 0] for count in size.store}
            for _ in size.store:
                for count in size.store:
                    with CPU(server) as cpu:
                        report = wrk(place, server, seconds, "--org", f"org{count}")
                    used[count][0] += cpu.microseconds
                    used[count][1] += report["requests"]
            for count, (microseconds, requests) in used.items():
                costs[count].append(microseconds / requests)
    fewest, *others = size.store
    dearest = max(others, key=lambda count: statistics.median(costs[count]))
    note = "; ".join(f"{count:,}: {statistics.median(cost):.1f} µs" for count, cost in costs.items())
    return [
        ratio("store", f"groupcast to offline devices, {fewest:,} to {others[-1]:,}, CPU a push: the dearest",
              f"{fewest:,} devices", list(zip(costs[dearest], costs[fewest])), 1.1, 1.05, note=note)
    ]
