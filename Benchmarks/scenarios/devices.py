"""What connections cost: memory of an idle one and of a stalled one, and storms."""

import time

from kit.load import Swarm, publish, push
from kit.process import CPU
from kit.rows import Row, ratio
from kit.servers import FanoutFloor, Mosquitto, Pspd


def idle(place):
    """Resident memory per idle, authenticated device, as a slope."""
    size = place.size
    pairs, brokers = [], []
    for _ in range(size.runs):
        with Pspd(place) as server:
            server.make_app()
            server.make_devices(range(size.crowd))
            ours = slope(place, server)
        with FanoutFloor(place, "direct") as floor:
            pairs.append((ours, slope(place, floor)))
        if not Mosquitto.installed():
            continue
        with Mosquitto(place) as broker:
            brokers.append((ours, slope(place, broker, "--user", "none", "--password", "none", "--subscribe", "dev/{}")))
    what = f"memory of an idle device, RSS from {size.first_crowd:,} to {size.crowd:,}"
    rows = [ratio("idle", what, "C bufferevent", pairs, 2.0, 1.3, "B")]
    if brokers:
        rows.append(ratio("idle-mosquitto", what, "mosquitto, one subscription each", brokers, figure_unit="B"))
    return rows


def slope(place, server, *flags, to=None):
    """Bytes of memory that each further device takes."""
    to = to or server.mqtt
    first, last = place.size.first_crowd, place.size.crowd
    with Swarm(place, to, first, 0, *flags) as some:
        some.connect()
        server.settle()
        before = server.rss()
        with Swarm(place, to, last - first, first, *flags) as rest:
            rest.connect()
            server.settle()
            return max(1, server.rss() - before) / (last - first)


def stalled(place):
    """Memory while devices stop reading and groupcasts arrive; and nothing is lost."""
    size = place.size
    with Pspd(place) as server:
        server.make_app()
        server.make_devices(range(size.online))
        with Swarm(place, server.mqtt, size.online) as swarm:
            swarm.connect()
            server.groupcast(1)
            swarm.each(1)
            server.settle()
            swarm("reset")
            swarm(f"stall {size.online}")
            before, most = server.rss(), server.rss()
            for number in range(1, size.stalled_messages + 1):
                task = server.groupcast(number + 1)
                most = max(most, server.rss())
            server.settle()
            most = max(most, server.rss())
            began = time.monotonic()
            swarm("resume")
            report = swarm.each(size.stalled_messages, 600)
            seconds = time.monotonic() - began
            server.settle()
            tally, counts = report["tally"], server.counts(task)
    if counts["delivered"] != size.online or tally["missing"]:
        raise RuntimeError(f"lost: {counts} {tally}")
    return [
        Row("stalled", f"{size.online:,} devices stop reading, {size.stalled_messages:,} groupcasts: memory a device", "before",
            (most - before) / size.online, "B", 4096, 256, most / 2**20, before / 2**20, "MiB",
            note=f"all delivered {seconds:.0f} s after they resumed, {tally['repeated']} twice")
    ]


def storm(place):
    """All connect at once, each with messages waiting; CPU per device until all is acknowledged."""
    size = place.size
    single, group, brokers = [], [], []
    for _ in range(size.runs):
        with Pspd(place) as server:
            server.make_app()
            server.make_devices(range(size.crowd))
            push(place, server, "--count", size.waiting * size.crowd, "--duration", 300, "--targets", size.crowd)
            single.append(_storm(place, server, size.waiting))
            for number in range(size.waiting):
                server.groupcast(number + 1)
            group.append(_storm(place, server, size.waiting))
        with Mosquitto(place) as broker:
            flags = ("--user", "none", "--password", "none", "--subscribe", "dev/{}", "--keep-session")
            with Swarm(place, broker.mqtt, size.crowd, 0, *flags) as swarm:
                swarm.connect()
            publish(place, broker, "dev/{}", "--count", size.waiting * size.crowd, "--duration", 300, "--targets", size.crowd)
            flags = flags[:4] + flags[6:]
            brokers.append(_storm(place, broker, size.waiting, *flags))
    what = f"connect storm: {size.crowd:,} devices with {size.waiting} messages waiting, CPU a device"
    return [
        ratio("storm", what + ", pushed to each", "mosquitto, persistent sessions, no passwords", list(zip(single, brokers)), 1.0, 0.5),
        ratio("storm-group", what + ", pushed to all", "mosquitto, persistent sessions, no passwords", list(zip(group, brokers)), 1.0, 0.5),
    ]


def _storm(place, server, waiting, *flags):
    with Swarm(place, server.mqtt, place.size.crowd, 0, *flags) as swarm:
        server.settle()
        with CPU(server) as used:
            swarm("connect")
            swarm.each(waiting)
        return used.per(place.size.crowd)
