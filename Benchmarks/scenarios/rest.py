"""REST pushes: against bare evhttp, and against what a broker takes to publish."""

from kit.load import Swarm, publish, push, wrk
from kit.process import CPU
from kit.rows import Row, ratio
from kit.servers import HTTPFloor, Mosquitto, Nchan, Pspd


def offline(place):
    """A durable push to one offline device, against a fixed reply by bare evhttp to the same request."""
    size = place.size
    devices = ("--devices", place.tokens(size.offline))
    marks = ("--biz", "--tag", "bench")
    plain, marked, peers, rates = [], [], [], []
    with Pspd(place) as server, HTTPFloor(place) as floor:
        server.make_app()
        server.make_devices(range(size.offline))
        for _ in range(size.runs):
            base, _ = _per_request(place, floor, *devices)
            cost, rate = _per_request(place, server, *devices)
            plain.append((cost, base))
            rates.append(rate)
            base, _ = _per_request(place, floor, *devices, *marks)
            cost, _ = _per_request(place, server, *devices, *marks)
            marked.append((cost, base))
            if Nchan.installed():
                with Nchan(place) as nginx:
                    peers.append((cost, _per_request(place, nginx, *devices, *marks)[0]))
    middle = sorted(rates)[len(rates) // 2]
    rows = [
        ratio("rest", "durable push to an offline device, CPU a push", "bare evhttp, fixed reply", plain, 2.4, 2.0,
              note=f"{middle:,.0f} pushes/s"),
        ratio("rest-marked", "durable push with out_biz_no and tag, CPU a push", "bare evhttp, fixed reply", marked, 2.4, 2.0),
    ]
    if peers:
        rows.append(ratio("rest-nchan", "durable push with out_biz_no and tag, CPU a push", "nginx and nchan, publish into memory", peers))
    return rows


def _per_request(place, server, *options):
    with CPU(server) as used:
        report = wrk(place, server, place.size.seconds, *options)
    return used.per(report["requests"]), report["requests"] / report["microseconds"] * 1e6


def online(place):
    """A push to an online device, until it is acknowledged, against mosquitto: publish QoS 1 to one subscriber."""
    size = place.size
    ours, theirs = [], []
    messages = ("--duration", size.seconds, "--targets", size.online)
    for _ in range(size.runs):
        with Pspd(place) as server:
            server.make_app()
            server.make_devices(range(size.online))
            ours.append(_delivered(place, server, (), lambda: push(place, server, *messages)))
        with Mosquitto(place) as broker:
            flags = ("--user", "none", "--password", "none", "--subscribe", "dev/{}")
            theirs.append(_delivered(place, broker, flags, lambda: publish(place, broker, "dev/{}", *messages)))
    return [
        ratio("rest-online", "push to an online device, delivered and acknowledged, CPU a push",
              "mosquitto: publish QoS 1 to one subscriber", list(zip(ours, theirs)), 1.1, 1.0,
              note="mosquitto syncs no message to disk")
    ]


def _delivered(place, server, flags, send):
    with Swarm(place, server.mqtt, place.size.online, 0, *flags) as swarm:
        swarm.connect()
        server.settle()
        with CPU(server) as used:
            report = send()
            swarm.total(report["accepted"])
        return used.per(report["accepted"])


def latency(place):
    """How long a push takes to the device, against how long its caller waits for the reply."""
    size = place.size
    pairs = []
    with Pspd(place) as server:
        server.make_app()
        server.make_devices(range(size.online))
        with Swarm(place, server.mqtt, size.online) as swarm:
            swarm.connect()
            for _ in range(size.runs):
                swarm("reset")
                report = push(place, server, "--rate", size.rate, "--duration", 2 * size.seconds, "--targets", size.online)
                swarm.total(report["accepted"])
                device = swarm("report")["latency"]
                pairs.append((device["p99"] / 1000, report["latency"]["p99"] / 1000))
    return [
        ratio("latency", f"{size.rate:,} pushes/s to {size.online:,} devices, p99 from call to device", "p99 of the same call's reply",
              pairs, 2.0, 1.2, "ms")
    ]


def two_loops(place):
    """What the second loop costs, and whether the work is shared."""
    size = place.size
    one, two, shares = [], [], []
    devices = ("--devices", place.tokens(size.offline))
    for _ in range(size.runs):
        for loops, costs in ((1, one), (2, two)):
            with Pspd(place, loops=loops) as server:
                server.make_app()
                server.make_devices(range(size.offline))
                before = server.cpu_by_thread()
                with CPU(server) as used:
                    report = wrk(place, server, size.seconds, *devices, connections=size.connections)
                costs.append(used.per(report["requests"]))
                if loops == 2:
                    shares.append(share(before, server.cpu_by_thread()))
    return [
        ratio("loops-rest", f"two loops, REST, {size.connections:,} connections, CPU a push", "one loop", list(zip(two, one)), 1.15, 1.05),
        share_row("loops-rest-share", "two loops, REST: how far each loop's share is from a half", shares),
    ]


def share(before, after):
    """The larger loop's part of both loops' processor time, in per cent."""
    used = [after[name] - before.get(name, 0) for name in after if name.startswith("loop ")]
    return 100 * max(used) / max(sum(used), 0.01)


def share_row(key, scenario, shares):
    far = [value - 50 for value in shares]
    middle = sorted(far)[len(far) // 2]
    return Row(key, scenario, "50 %", middle, "points", 10, 5, samples=far)
